// halfbyte's own matmul: quantize_rows, as its activations are int8, then matvec_q4 or matmul_q4.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as layout from '../../assembly/op_layout.js';
import { relaxedSimdRefusal } from '../../bindings/executor/features.js';
import { instantiateCore } from '../../bindings/executor/wasm/core.js';
import { packedHeader } from '../../bindings/executor/wasm/packing.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { FREE, OneOp } from '../one_op.js';
import { K, N, type OpPeer, opNumbers, timeCalls } from './op_peer.js';

/** Of the memory: seven regions and what lies before them. */
const PAGES = 1024;
/** More than the largest of them needs: the weights as stored, 2.4 MB. */
const REGION = 8 << 20;

export async function load(): Promise<OpPeer> {
  const build = relaxedSimdRefusal() ? 'core.simd' : 'core.relaxed';
  const wasm = await readFile(fileURLToPath(new URL(`../../${build}.wasm`, import.meta.url)));
  const memory = new WebAssembly.Memory({ initial: PAGES });
  const core = instantiateCore(await WebAssembly.compile(wasm), memory);
  const bytes = new Uint8Array(memory.buffer);
  const region = (i: number) => Math.ceil(FREE / 64) * 64 + i * REGION;
  const [x, quantized, scales, sums] = [region(0), region(1), region(2), region(3)];
  const [out, weight, levels] = [region(4), region(5), region(6)];
  const numbers = opNumbers(1);
  const stored = levels + numbers.levels.length;
  bytes.set(numbers.levels, levels);
  bytes.set(new Uint8Array(numbers.scales.buffer), stored);
  const op = new OneOp(core, memory, 1);
  op.header(weight, packedHeader(linearFormat(4, true), N, K));
  core.pack_tensor(weight, weight + layout.PACKED_BYTES, N, K, levels, stored);

  function prepare(m: number): () => void {
    bytes.set(new Uint8Array(opNumbers(m).x.buffer), x);
    const fields = {
      [layout.OP_SCALES]: scales,
      [layout.OP_SUMS]: sums,
      [layout.OP_WEIGHT]: weight,
      [layout.OP_N]: N,
      [layout.OP_K]: K,
    };
    const rows = Array.from({ length: m }, (_, row) => row);
    op.prepare(fields, rows, 0, 2);
    setOp(0, layout.CODE_QUANTIZE_ROWS, x, quantized);
    setOp(1, layout.CODE_MATMUL, quantized, out);
    return () => op.run();
  }

  function setOp(i: number, code: number, from: number, to: number): void {
    op.field(i, layout.OP_CODE, code);
    op.field(i, layout.OP_X, from);
    op.field(i, layout.OP_OUT, to);
  }

  return {
    about: `${build}, activations quantized to int8 in each call`,
    time: async (m, seconds) => timeCalls(prepare(m), seconds),
    async output(m) {
      prepare(m)();
      return Array.from(new Float32Array(memory.buffer, out, m * N));
    },
  };
}
