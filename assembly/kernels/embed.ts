// out[row] = row `token` of a packed matrix, dequantized. The matrix is packed as for its matmul, so that a
// tied head shares it.
//
//   out  f32 [rows, k]
//   rows row table of the step (op_layout.ts)
//   weights as in matmul_float, matvec_q4, matmul_q8, matvec_lut4; packed as code_panel.ts draws it
//
// Each computes rows [begin, end), of the op's OP_OUT.

import { BLOCK, PANEL, ROW_BYTES, ROW_TOKEN } from '../op_layout';
import { code_of, group_at, has_scales, panel_at, value_of } from './code_panel';
import { biases_at, load_number, scale_bytes, scale1 } from './group_scales';
import { LUT4_HEAD } from './matvec_lut4';
import { blocks_of, dtype_of, has_bias, k_of, weights_of, y_of } from './operands';
import { nibbles_of_row } from './panel';

export function embed_float(op: usize, packed: usize, rows: usize, begin: u32, end: u32): void {
  const k = k_of(op);
  const dtype = dtype_of(packed);
  const bytes = scale_bytes(dtype);
  for (let row = begin; row < end; row++) {
    const token = load<u32>(rows + row * ROW_BYTES, ROW_TOKEN);
    let w = weights_of(packed) + (<usize>(token / PANEL) * k * PANEL + (token % PANEL)) * bytes;
    let to = y_of(op) + ((<usize>row * k) << 2);
    for (let i: u32 = 0; i < k; i++, to += 4, w += PANEL * bytes) {
      store<f32>(to, load_number(dtype, w));
    }
  }
}

/** Of blocks of 4 or 8 bits with kernels of their own. */
export function embed_linear(
  op: usize,
  packed: usize,
  rows: usize,
  bits: u32,
  begin: u32,
  end: u32,
): void {
  const k = k_of(op);
  const blocks: usize = blocks_of(op);
  const dtype = dtype_of(packed);
  const bytes = scale_bytes(dtype);
  const hasBias = has_bias(packed);
  const values: usize = bits << 5; // bytes of 8 x 32 q
  const record = values + PANEL * bytes * (hasBias ? 2 : 1);
  for (let row = begin; row < end; row++) {
    const token = load<u32>(rows + row * ROW_BYTES, ROW_TOKEN);
    const lane = token % PANEL;
    let to = y_of(op) + ((<usize>row * k) << 2);
    let w = weights_of(packed) + <usize>(token / PANEL) * blocks * record;
    for (let first: u32 = 0; first < k; first += BLOCK, w += record) {
      const scale = load_number(dtype, w + values + lane * bytes);
      const bias: f32 = hasBias ? load_number(dtype, w + values + (lane + PANEL) * bytes) : 0;
      const count = min<u32>(BLOCK, k - first);
      for (let i: u32 = 0; i < count; i++, to += 4) {
        const q = bits == 4 ? q4(w, lane, i, hasBias) : q8(w, lane, i, hasBias);
        store<f32>(to, <f32>q * scale + bias);
      }
    }
  }
}

export function embed_lut4(op: usize, packed: usize, rows: usize, begin: u32, end: u32): void {
  const k = k_of(op);
  const blocks: usize = blocks_of(op);
  for (let row = begin; row < end; row++) {
    const token = load<u32>(rows + row * ROW_BYTES, ROW_TOKEN);
    const lane = token % PANEL;
    const head = weights_of(packed) + <usize>(token / PANEL) * (LUT4_HEAD + (blocks << 7));
    const scale = load<f32>(head + 16 + ((<usize>lane) << 2));
    let to = y_of(op) + ((<usize>row * k) << 2);
    for (let i: u32 = 0; i < k; i++, to += 4) {
      const block = head + LUT4_HEAD + ((<usize>(i / BLOCK)) << 7);
      const entry = <i32>load<u8>(head + nibble(block, lane, i % BLOCK)) - 64;
      store<f32>(to, <f32>entry * scale);
    }
  }
}

export function embed_codes(op: usize, packed: usize, rows: usize, begin: u32, end: u32): void {
  const k = k_of(op);
  const biases = biases_at(packed);
  for (let row = begin; row < end; row++) {
    const token = load<u32>(rows + row * ROW_BYTES, ROW_TOKEN);
    const lane = token % PANEL;
    const panel = panel_at(packed, token / PANEL);
    let to = y_of(op) + ((<usize>row * k) << 2);
    for (let i: u32 = 0; i < k; i++, to += 4) {
      const value = value_of(packed, token, code_of(packed, panel, lane, i));
      if (!has_scales(packed)) {
        store<f32>(to, value);
        continue;
      }
      const g = group_at(packed, i);
      const bias: f32 = has_bias(packed) ? scale1(packed, panel + biases, g, lane) : 0;
      store<f32>(to, value * scale1(packed, panel, g, lane) + bias);
    }
  }
}

/** Element i of a 4-bit block: 0..15 with biases, else -8..7. */
function q4(block: usize, lane: u32, i: u32, hasBias: bool): i32 {
  const q = <i32>nibble(block, lane, i);
  return hasBias ? q : q - 8;
}

/** The 4 bits of element i of a row in a block of interleaved nibbles. */
function nibble(block: usize, lane: u32, i: u32): u32 {
  const packed = <u32>load<u8>(block + nibbles_of_row(lane) + (i >> 3) * 16 + (i & 3));
  return i & 4 ? packed >> 4 : packed & 15;
}

/** Element i of an 8-bit block: 0..255 with biases, else -128..127. */
function q8(block: usize, lane: u32, i: u32, hasBias: bool): i32 {
  const q = <i32>load<i8>(block + (i >> 2) * 32 + lane * 4 + (i & 3));
  return hasBias ? q + 128 : q;
}
