// The outliers of a weight as they are stored (formats/outliers.ts), gathered strip by strip.

import { encodeFloats } from '../formats/float_bytes.js';
import type { StripOutliers } from './fit/fit.js';

export class OutlierParts {
  readonly #k: number;
  readonly #rows: number[] = [];
  readonly #columns: number[] = [];
  readonly #values: number[] = [];

  constructor(k: number) {
    this.#k = k;
  }

  get count(): number {
    return this.#values.length;
  }

  /** Adds those of a strip that begins with row `begin`, behind all that are there. */
  add(begin: number, { places, values }: StripOutliers): void {
    for (const place of places) {
      this.#rows.push(begin + Math.floor(place / this.#k));
      this.#columns.push(place % this.#k);
    }
    for (const value of values) this.#values.push(value);
  }

  /** In the order of the file; empty where there are none. */
  parts(): Uint8Array[] {
    const rows = new DataView(new ArrayBuffer(4 * this.count));
    for (const [i, row] of this.#rows.entries()) rows.setUint32(4 * i, row, true);
    const columns = new DataView(new ArrayBuffer(2 * this.count));
    for (const [i, column] of this.#columns.entries()) columns.setUint16(2 * i, column, true);
    return [
      new Uint8Array(rows.buffer),
      new Uint8Array(columns.buffer),
      encodeFloats(this.#values, 'f16'),
    ];
  }
}
