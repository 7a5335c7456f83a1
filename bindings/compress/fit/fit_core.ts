// The compiled loops of the fits (assembly/fit/), and the memory that they work in. Every thread has its own.

import { instantiateSync } from '@assemblyscript/loader';
import { loadCore } from '#platform';
import type { FloatType } from '../../formats/format.js';

/** What assembly/fit/index.ts exports; addresses are bytes in the memory, arguments as told there. */
interface FitExports {
  round_to_half(x: number): number;
  holds_in_half(x: number): number;
  widen_f16(from: number, to: number, count: number): number;
  widen_bf16(from: number, to: number, count: number): number;
  widen_f32(from: number, to: number, count: number): number;
  pack_bits(codes: number, bits: number, count: number, stream: number): void;
  scratch_bytes(group: number): number;
  fit_symmetric(
    weights: number,
    rows: number,
    k: number,
    group: number,
    bits: number,
    codes: number,
    stride: number,
    scales: number,
    scratch: number,
  ): number;
  fit_affine(
    weights: number,
    rows: number,
    k: number,
    group: number,
    bits: number,
    codes: number,
    stride: number,
    scales: number,
    biases: number,
    scratch: number,
  ): number;
  quantize_mlx(
    weights: number,
    rows: number,
    k: number,
    group: number,
    bits: number,
    codes: number,
    stride: number,
    scales: number,
    biases: number,
  ): void;
  quantize_core_ml(
    weights: number,
    rows: number,
    k: number,
    group: number,
    bits: number,
    signed: number,
    codes: number,
    stride: number,
    scales: number,
    biases: number,
  ): void;
  palette_scratch_bytes(tableRows: number): number;
  fit_palettes(
    weights: number,
    rows: number,
    k: number,
    tableRows: number,
    bits: number,
    most: number,
    perChannel: number,
    codes: number,
    stride: number,
    scales: number,
    tables: number,
    scratch: number,
  ): number;
}

const PAGE_BYTES = 65536;
/** Above the module's constants. */
const FIRST_ADDRESS = PAGE_BYTES;
const ALIGNMENT = 16;
/** Whole vectors are read and written past the end of a block. */
const SLACK = 16;

export class FitCore {
  readonly run: FitExports;
  readonly #memory = new WebAssembly.Memory({ initial: 2 });
  /** End of the floats that `widen` left. */
  #floats = FIRST_ADDRESS;
  #next = FIRST_ADDRESS;

  constructor(module: WebAssembly.Module) {
    this.run = instantiateSync(module, { env: { memory: this.#memory } })
      .exports as unknown as FitExports;
  }

  /** @throws what the platform's loadCore throws */
  static async load(): Promise<FitCore> {
    return new FitCore(await FitCore.module());
  }

  static module(): Promise<WebAssembly.Module> {
    return loadCore('fit');
  }

  /**
   * Stored floats as float32, which holds them exactly, and whether all are finite. The values lie in this memory
   * until the next call of anything; `begin` does not copy them.
   */
  widen(
    raw: Uint8Array,
    type: FloatType,
    count: number,
  ): { values: Float32Array; finite: boolean } {
    this.#next = FIRST_ADDRESS;
    const to = this.place(4 * count);
    this.#floats = this.#next;
    const from = this.placeBytes(raw);
    const finite = this.run[`widen_${type}`](from, to, count) === 1;
    return { values: new Float32Array(this.#memory.buffer, to, count), finite };
  }

  /** Begins a fit: all blocks but these weights are given up. @returns their address, as float32 */
  begin(weights: Float32Array | Float64Array): number {
    if (weights.buffer === this.#memory.buffer) {
      this.#next = this.#floats;
      return weights.byteOffset;
    }
    this.#next = FIRST_ADDRESS;
    const at = this.place(4 * weights.length);
    new Float32Array(this.#memory.buffer, at, weights.length).set(weights);
    return at;
  }

  /** Address of a block of `bytes`, whose content may be anything. */
  place(bytes: number): number {
    const at = this.#next;
    this.#next = Math.ceil((at + bytes + SLACK) / ALIGNMENT) * ALIGNMENT;
    const missing = this.#next - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    return at;
  }

  placeBytes(bytes: Uint8Array): number {
    const at = this.place(bytes.length);
    new Uint8Array(this.#memory.buffer).set(bytes, at);
    return at;
  }

  /** A copy. */
  bytes(at: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer.slice(at, at + length));
  }

  /** A copy. */
  floats(at: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer.slice(at, at + 4 * length));
  }

  /** packBits of formats/bits.ts. */
  packBits(codes: Uint8Array, bits: number): Uint8Array {
    if (bits === 8) return codes;
    this.#next = FIRST_ADDRESS;
    const at = this.placeBytes(codes);
    this.run.pack_bits(at, bits, codes.length, at);
    return this.bytes(at, (codes.length * bits) / 8);
  }
}
