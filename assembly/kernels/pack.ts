// From a checkpoint's row-major bytes to panels of 8 interleaved rows, a strip of rows at a time.
// The layouts are drawn in matmul_float.ts, matvec_q4.ts and matmul_q8.ts.
//
// Each packs `rows` rows into consecutive panels at `to`; a last panel of fewer rows is filled with zeros.
// Returns the index of the first row that holds infinity or NaN, or -1.

import { PANEL } from '../op_layout';
import { is_finite } from '../simd';
import { nibbles_of_row } from './panel';

/** T: f32, i16 (float16), u16 (bfloat16). from: T [rows, k]. */
export function pack_float<T>(to: usize, from: usize, rows: u32, k: u32): i32 {
  const rowBytes = <usize>k * sizeof<T>();
  const padded = (rows + PANEL - 1) & ~(PANEL - 1);
  for (let row: u32 = 0; row < padded; row++) {
    let at = to + (<usize>(row / PANEL) * k * PANEL + (row % PANEL)) * sizeof<T>();
    const source = from + row * rowBytes;
    for (let i: usize = 0; i < rowBytes; i += sizeof<T>(), at += PANEL * sizeof<T>()) {
      if (row >= rows) {
        store<T>(at, <T>0);
      } else {
        const value = load<T>(source + i);
        if (!is_finite<T>(value)) return <i32>row;
        store<T>(at, value);
      }
    }
  }
  return -1;
}

/** from: 4-bit stream [rows, blocks * 16 bytes], low nibble first. scales, biases: S [rows, blocks]. */
export function pack_q4<S>(
  to: usize,
  from: usize,
  scales: usize,
  biases: usize,
  rows: u32,
  blocks: u32,
  hasBias: u32,
): i32 {
  const record: usize = 128 + ((8 * sizeof<S>()) << hasBias);
  for (let row: u32 = 0; row < rows; row += PANEL) {
    const panel = to + <usize>(row / PANEL) * blocks * record;
    for (let r: u32 = 0; r < <u32>PANEL; r++) {
      interleave_q4(panel + nibbles_of_row(r), record, from, row + r, rows, blocks);
    }
  }
  return pack_scales<S>(to + 128, record, scales, biases, rows, blocks, hasBias);
}

/** Writes row `row` of a panel: 4 bytes of each 8 k. Rows from `rows` on are zero. */
export function interleave_q4(
  to: usize,
  record: usize,
  from: usize,
  row: u32,
  rows: u32,
  blocks: u32,
): void {
  const nibbles = i8x16.splat(15);
  let source = from + row * ((<usize>blocks) << 4);
  for (let b: u32 = 0; b < blocks; b++, to += record, source += 16) {
    const stream = row < rows ? v128.load(source) : i8x16.splat(0);
    // Even k are the low nibbles of the stream's bytes, odd k the high ones.
    const even = v128.and(stream, nibbles);
    const odd = i8x16.shr_u(stream, 4);
    const front = i8x16.shuffle(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const back = i8x16.shuffle(
      even,
      odd,
      8,
      24,
      9,
      25,
      10,
      26,
      11,
      27,
      12,
      28,
      13,
      29,
      14,
      30,
      15,
      31,
    );
    // One byte a k now; quads 0 2 4 6 take the low nibbles, quads 1 3 5 7 the high ones.
    const low = i32x4.shuffle(front, back, 0, 2, 4, 6);
    const high = i32x4.shuffle(front, back, 1, 3, 5, 7);
    const packed = v128.or(low, i16x8.shl(high, 4));
    v128.store_lane<u32>(to, packed, 0);
    v128.store_lane<u32>(to, packed, 1, 16);
    v128.store_lane<u32>(to, packed, 2, 32);
    v128.store_lane<u32>(to, packed, 3, 48);
  }
}

/** from: unsigned bytes [rows, blocks * 32]. scales, biases: S [rows, blocks]. */
export function pack_q8<S>(
  to: usize,
  from: usize,
  scales: usize,
  biases: usize,
  rows: u32,
  blocks: u32,
  hasBias: u32,
): i32 {
  const record: usize = 256 + ((8 * sizeof<S>()) << hasBias);
  const panels = (rows + PANEL - 1) / PANEL;
  memory.fill(to, 0, <usize>panels * blocks * record);
  for (let row: u32 = 0; row < rows; row++) {
    const lane = row % PANEL;
    let block = to + <usize>(row / PANEL) * blocks * record;
    let q = from + <usize>row * blocks * 32;
    for (let b: u32 = 0; b < blocks; b++, block += record, q += 32) {
      for (let i: usize = 0; i < 32; i += 4) {
        // Flipping the top bit of each byte subtracts 128.
        store<u32>(block + i * 8 + lane * 4, load<u32>(q + i) ^ 0x80808080);
      }
    }
  }
  return pack_scales<S>(to + 256, record, scales, biases, rows, blocks, hasBias);
}

/** Scales and biases, behind the q of their record; zero for the rows that fill up the last panel. */
function pack_scales<S>(
  to: usize,
  record: usize,
  scales: usize,
  biases: usize,
  rows: u32,
  blocks: u32,
  hasBias: u32,
): i32 {
  const padded = (rows + PANEL - 1) & ~(PANEL - 1);
  for (let row: u32 = 0; row < padded; row++) {
    let at = to + <usize>(row / PANEL) * blocks * record + (row % PANEL) * sizeof<S>();
    for (let b: u32 = 0; b < blocks; b++, at += record) {
      const index = (<usize>row * blocks + b) * sizeof<S>();
      const scale = row < rows ? load<S>(scales + index) : <S>0;
      const bias = hasBias && row < rows ? load<S>(biases + index) : <S>0;
      if (!is_finite<S>(scale) || !is_finite<S>(bias)) return <i32>row;
      store<S>(at, scale);
      if (hasBias) store<S>(at + PANEL * sizeof<S>(), bias);
    }
  }
  return -1;
}
