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
  const panels = (rows + PANEL - 1) / PANEL;
  memory.fill(to, 0, <usize>panels * blocks * record);
  for (let row: u32 = 0; row < rows; row++) {
    const lane = row % PANEL;
    const shift = lane & 4;
    let block = to + <usize>(row / PANEL) * blocks * record;
    let q = from + <usize>row * blocks * 16;
    for (let b: u32 = 0; b < blocks; b++, block += record, q += 16) {
      for (let i: usize = 0; i < 32; i++) {
        const value = (load<u8>(q + (i >> 1)) >> <u8>((i & 1) << 2)) & 15;
        const at = block + (i >> 2) * 16 + (lane & 3) * 4 + (i & 3);
        store<u8>(at, load<u8>(at) | (value << (<u8>shift)));
      }
    }
  }
  return pack_scales<S>(to + 128, record, scales, biases, rows, blocks, hasBias);
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

function pack_scales<S>(
  to: usize,
  record: usize,
  scales: usize,
  biases: usize,
  rows: u32,
  blocks: u32,
  hasBias: u32,
): i32 {
  for (let row: u32 = 0; row < rows; row++) {
    let at = to + <usize>(row / PANEL) * blocks * record + (row % PANEL) * sizeof<S>();
    for (let b: u32 = 0; b < blocks; b++, at += record) {
      const index = (<usize>row * blocks + b) * sizeof<S>();
      const scale = load<S>(scales + index);
      if (!is_finite<S>(scale)) return <i32>row;
      store<S>(at, scale);
      if (hasBias) {
        const bias = load<S>(biases + index);
        if (!is_finite<S>(bias)) return <i32>row;
        store<S>(at + PANEL * sizeof<S>(), bias);
      }
    }
  }
  return -1;
}

function is_finite<T>(value: T): bool {
  if (isFloat<T>()) return value - value == <T>0;
  if (isSigned<T>()) return (<u32>value & 0x7c00) != 0x7c00;
  return (<u32>value & 0x7f80) != 0x7f80;
}
