// From a checkpoint's row-major bytes to panels of 8 interleaved rows, a strip of rows at a time.
// The layouts are drawn in matmul_float.ts, matvec_q4.ts and matmul_q8.ts.
//
// Each packs `rows` rows into consecutive panels at `to`; a last panel of fewer rows is filled with zeros.
// Returns the index of the first row that holds infinity or NaN, or -1.

import { PANEL } from '../op_layout';

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
    for (let r: u32 = 0; r < 4; r++) {
      interleave_q4(panel + (r << 2), record, from, row + r, rows, blocks);
    }
  }
  return pack_scales<S>(to + 128, record, scales, biases, rows, blocks, hasBias);
}

/**
 * Writes rows `row` (low nibbles) and `row + 4` (high nibbles) of a panel: 4 bytes of each quad. Rows from
 * `rows` on are zero.
 */
export function interleave_q4(
  to: usize,
  record: usize,
  from: usize,
  row: u32,
  rows: u32,
  blocks: u32,
): void {
  const nibbles = i8x16.splat(15);
  const stride = (<usize>blocks) << 4;
  let low = from + row * stride;
  let high = low + 4 * stride;
  for (let b: u32 = 0; b < blocks; b++, to += record, low += 16, high += 16) {
    const a = row < rows ? v128.load(low) : i8x16.splat(0);
    const c = row + 4 < rows ? v128.load(high) : i8x16.splat(0);
    // Even k are the low nibbles of a row's bytes, odd k the high ones.
    const even = v128.or(v128.and(a, nibbles), i16x8.shl(v128.and(c, nibbles), 4));
    const odd = v128.or(i8x16.shr_u(a, 4), v128.andnot(c, nibbles));
    const first = i8x16.shuffle(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const second = i8x16.shuffle(
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
    v128.store_lane<u32>(to, first, 0);
    v128.store_lane<u32>(to, first, 1, 16);
    v128.store_lane<u32>(to, first, 2, 32);
    v128.store_lane<u32>(to, first, 3, 48);
    v128.store_lane<u32>(to, second, 0, 64);
    v128.store_lane<u32>(to, second, 1, 80);
    v128.store_lane<u32>(to, second, 2, 96);
    v128.store_lane<u32>(to, second, 3, 112);
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

export function is_finite<T>(value: T): bool {
  if (isFloat<T>()) return value - value == <T>0;
  if (isSigned<T>()) return (<u32>value & 0x7c00) != 0x7c00;
  return (<u32>value & 0x7f80) != 0x7f80;
}
