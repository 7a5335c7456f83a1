// Bytes of each kind of op, worked out by hand.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as layout from '../../assembly/op_layout.js';
import { OP_KINDS, type OpShape, opBytes } from '../../bindings/executor/wasm/op_bytes.js';
import { floatFormat } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';

const INT4 = linearFormat(4, true);

function bytes(code: number, shape: Partial<OpShape>, positions: readonly number[]): number {
  const none = { n: 0, k: 0, heads: 0, kvHeads: 0, headDim: 0, window: 0, weightBytes: 0 };
  const op: OpShape = { code, ...none, kvType: 'f16', format: null, ...shape };
  return opBytes(op, positions);
}

test('every op of the core is there, under the name of its kernel', () => {
  const codes = Object.entries(layout).filter(([name]) => name.startsWith('CODE_'));
  assert.ok(codes.length > 10);
  for (const [name, code] of codes) {
    assert.is(OP_KINDS[code]?.kind, name.slice('CODE_'.length).toLowerCase());
  }
  assert.is(Object.keys(OP_KINDS).length, codes.length);
});

test('embed: a row of 40 int4 weights is two groups of 16 bytes and a scale', () => {
  assert.is(
    bytes(layout.CODE_EMBED, { k: 40, format: INT4 }, [0, 1, 2]),
    3 * (2 * (16 + 2) + 40 * 4),
  );
});

test('rope_angles: half a head of float64 frequencies, a head of floats a row', () => {
  assert.is(bytes(layout.CODE_ROPE_ANGLES, { headDim: 8 }, [0, 1]), 4 * 8 + 2 * 8 * 4);
});

test('rms_norm: the weight once, each row in and out', () => {
  const shape = { k: 10, weightBytes: 40 };
  assert.is(bytes(layout.CODE_RMS_NORM, shape, [0, 1]), 40 + 2 * (40 + 40));
});

test('quantize_rows: floats in; two blocks of int8, each with a scale and a sum, out', () => {
  assert.is(bytes(layout.CODE_QUANTIZE_ROWS, { k: 40 }, [0, 1]), 2 * (160 + 2 * (32 + 4 + 4)));
});

test('matmul: the packed weight once, int8 rows in, floats out', () => {
  // Ten rows of 40 lie in two panels of 8.
  const linear = { n: 10, k: 40, format: INT4, weightBytes: 16 * 36 };
  assert.is(bytes(layout.CODE_MATMUL, linear, [3]), 576 + 80 + 40);
  assert.is(bytes(layout.CODE_MATMUL, linear, [3, 4]), 576 + 2 * (80 + 40));
  assert.is(bytes(layout.CODE_MATMUL, linear, []), 0, 'a step that wants no logits');
});

test('matmul: float weights take float rows', () => {
  const format = floatFormat('f16');
  const shape = { n: 10, k: 4, format, weightBytes: 16 * 4 * 2 };
  assert.is(bytes(layout.CODE_MATMUL, shape, [0]), 128 + 4 * 4 + 10 * 4);
});

test('rope: the heads in place, and a row of angles', () => {
  const shape = { heads: 3, headDim: 8 };
  assert.is(bytes(layout.CODE_ROPE, shape, [0, 1]), 2 * (3 * 8 * 4 * 2 + 8 * 4));
});

test('kv_update: k and v in as floats, out as the cache stores them', () => {
  const shape = { kvHeads: 2, headDim: 8 };
  const floats = 2 * 2 * 8 * 4;
  for (const [kvType, stored] of [
    ['f32', 2 * 2 * 8 * 4],
    ['f16', 2 * 2 * 8 * 2],
    ['int8', 2 * 2 * (8 + 4)],
  ] as const) {
    const at = [0, 1, 2];
    assert.is(bytes(layout.CODE_KV_UPDATE, { ...shape, kvType }, at), 3 * (floats + stored));
  }
});

test('sdpa: q and out, and what each row sees of the cache', () => {
  const shape = { heads: 4, kvHeads: 2, headDim: 8 };
  const rows = 2 * (4 * 8 * 4 + 4 * 8 * 4);
  assert.is(bytes(layout.CODE_SDPA, shape, [0, 5]), (1 + 6) * 64 + rows);
  assert.is(bytes(layout.CODE_SDPA, { ...shape, window: 4 }, [0, 5]), (1 + 4) * 64 + rows);
  const int8 = { ...shape, kvType: 'int8' } as const;
  assert.is(bytes(layout.CODE_SDPA, int8, [0, 5]), (1 + 6) * 48 + rows);
});

test('ops on rows of floats', () => {
  assert.is(bytes(layout.CODE_ADD, { k: 10 }, [0, 1]), 2 * 3 * 40);
  assert.is(bytes(layout.CODE_SILU_MUL, { k: 10 }, [0, 1]), 2 * 3 * 40);
  assert.is(bytes(layout.CODE_SELECT_ROWS, { k: 10 }, [0]), 2 * 40);
});

test.run();
