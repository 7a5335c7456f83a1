// Which ops run without a wait between them.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as layout from '../../assembly/op_layout.js';
import { ROWS_PER_STEP } from '../../bindings/executor/wasm/layout.js';
import { followers, type OpRecord, type RowBuffer } from '../../bindings/executor/wasm/spans.js';

const WIDTH = 16;
const BYTES = WIDTH * 4 * ROWS_PER_STEP;

/** The n-th of buffers that lie one behind the other. */
function buffer(n: number, width = WIDTH): RowBuffer {
  return { address: 4096 + n * BYTES, width };
}

function op(code: number, buffers: RowBuffer[], more: Array<[number, number]> = []): OpRecord {
  const fields = new Map([[layout.OP_CODE, code], [layout.OP_ON_LOGIT_ROWS, 0], ...more]);
  return { fields, buffers };
}

function matmul(x: number, out: RowBuffer): OpRecord {
  return op(
    layout.CODE_MATMUL,
    [out],
    [
      [layout.OP_X, x],
      [layout.OP_OUT, out.address],
      [layout.OP_N, out.width],
    ],
  );
}

test('matmuls of one input are a span', () => {
  const spans = [
    matmul(1, buffer(0)),
    matmul(1, buffer(1)),
    matmul(1, buffer(2)),
    matmul(2, buffer(3)),
  ];
  assert.equal(followers(spans), [2, 0, 0, 0]);
});

test('matmuls whose outputs share bytes are not', () => {
  assert.equal(followers([matmul(1, buffer(0, WIDTH + 1)), matmul(1, buffer(1))]), [0, 0]);
});

test('row-wise ops are a span, whatever they read of each other', () => {
  const ops = [
    op(layout.CODE_ADD, [buffer(0), buffer(1)]),
    op(layout.CODE_RMS_NORM, [buffer(0), buffer(2)]),
    op(layout.CODE_QUANTIZE_ROWS, [buffer(2)]),
    matmul(1, buffer(3)),
  ];
  assert.equal(followers(ops), [2, 0, 0, 0]);
});

test('a row-wise op that may write over another row of an earlier one begins a span', () => {
  // Rows of another width at the same address: row 1 of the first is row 2 of the second.
  const ops = [
    op(layout.CODE_ADD, [buffer(0), buffer(1)]),
    op(layout.CODE_RMS_NORM, [buffer(0), buffer(1, WIDTH / 2)]),
    op(layout.CODE_QUANTIZE_ROWS, [buffer(1, WIDTH / 2)]),
  ];
  assert.equal(followers(ops), [0, 1, 0]);
});

test('ops on all rows and on logit rows do not share a span, nor do attention and what follows', () => {
  const late = op(layout.CODE_RMS_NORM, [buffer(0)], [[layout.OP_ON_LOGIT_ROWS, 1]]);
  const attention = op(layout.CODE_SDPA, [buffer(1)]);
  const add = op(layout.CODE_ADD, [buffer(0)]);
  assert.equal(followers([add, late, attention, add]), [0, 0, 0, 0]);
});

test.run();
