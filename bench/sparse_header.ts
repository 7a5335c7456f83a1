// Sparse matrices over memory in which all bytes are one value with 4 bits set: half of the weights are there.

import * as layout from '../assembly/op_layout.js';
import { packedHeader } from '../bindings/executor/wasm/packing.js';
import { type WeightFormat, withNonZeros } from '../bindings/formats/format.js';

/** The format of such a matrix [n, k], if it is sparse. */
export function halfThere(format: WeightFormat, n: number, k: number): WeightFormat {
  return withNonZeros(format, Math.ceil(n / layout.PANEL) * nonZerosOfPanel(k));
}

/** Header of a packed matrix, and of a sparse one where the non-zeros of each panel end. */
export function benchHeader(format: WeightFormat, n: number, k: number): Map<number, number> {
  const header = packedHeader(halfThere(format, n, k), n, k);
  if (!format.sparse) return header;
  const field = (offset: number) => header.get(offset)!;
  const first = field(layout.PACKED_FIRST);
  const panel = field(layout.PACKED_PANEL);
  const codes = format.float ? 1 : layout.BLOCK_CODES;
  const bytes = (Math.ceil(nonZerosOfPanel(k) / codes) * codes * format.bits) / 8;
  const ends = new Map<number, number>();
  for (let i = 1; i <= Math.ceil(n / layout.PANEL); i++) {
    ends.set(first + i * panel - 4, field(layout.PACKED_NONZEROS) + i * bytes);
  }
  return new Map([...header, ...ends]);
}

function nonZerosOfPanel(k: number): number {
  return (layout.PANEL * layout.BLOCK * Math.ceil(k / layout.BLOCK)) / 2;
}
