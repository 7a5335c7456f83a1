// Quantized activation rows as the kernels keep them: block-major, scales in float32.

import { BLOCK } from '../../assembly/op_layout.js';
import type { LinearRows, QuantizedRows } from '../../bindings/executor/reference.js';

/** [rows, blocks, width] as [blocks, rows, width]. Applied with rows and blocks swapped it undoes itself. */
export function blockMajor<T extends Int8Array | Int32Array | Float32Array>(
  values: T,
  rows: number,
  blocks: number,
): T {
  const width = values.length / (rows * blocks);
  const out = values.slice() as T;
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const from = (row * blocks + block) * width;
      out.set(values.subarray(from, from + width), (block * rows + row) * width);
    }
  }
  return out;
}

/** The rows with their scales rounded to float32, as the kernels hold them. */
export function withF32Scales(rows: QuantizedRows): QuantizedRows {
  return { ...rows, scales: rows.scales.map(Math.fround) };
}

/** Row `row` by itself. */
export function oneRow(x: QuantizedRows, row: number, blocks: number): QuantizedRows {
  const [begin, end] = [row * blocks, (row + 1) * blocks];
  return {
    q: x.q.slice(begin * BLOCK, end * BLOCK),
    scales: x.scales.slice(begin, end),
    sums: x.sums.slice(begin, end),
  };
}

/** Both sides by magnitude: their product bounds every partial sum of the real one. */
export function magnitudes(x: QuantizedRows, w: LinearRows): [QuantizedRows, LinearRows] {
  const q = x.q.map(Math.abs);
  const sums = x.sums.map((_, block) =>
    q.subarray(block * BLOCK, (block + 1) * BLOCK).reduce((a, b) => a + b, 0),
  );
  return [
    { q, sums, scales: x.scales },
    {
      q: w.q.map((value) => Math.abs(value - w.zeroPoint)),
      scales: w.scales.map(Math.abs),
      biases: w.biases?.map(Math.abs) ?? null,
      zeroPoint: 0,
    },
  ];
}
