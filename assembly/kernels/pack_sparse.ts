// From a sparse weight of a checkpoint to the panels and non-zeros that sparse_panel.ts draws.

import {
  BLOCK,
  BLOCK_CODES,
  DTYPE_F16,
  DTYPE_F32,
  KERNEL_SPARSE_FLOAT,
  PACKED_KERNEL,
  PACKED_PANEL,
  PACKED_SCALE_ROWS,
  PANEL,
} from '../op_layout';
import { is_finite } from '../simd';
import { bits_of, panel_at } from './code_panel';
import { store_code } from './codes';
import { dtype_of } from './operands';
import { shared_by } from './pack_codes';
import { pack_scales } from './pack_scales';
import {
  bit_of,
  count_below,
  count_block,
  end_nonzeros,
  is_there,
  k_of_code,
  MASK_BYTES,
  mask_at,
  nonzeros_at,
  row_of,
} from './sparse_panel';

/**
 * Packs `rows` rows into consecutive panels at `to`, which follow those of earlier calls; a last panel of fewer rows is
 * filled up. mask: a bit for each weight [rows, blocks * 4 bytes]; starts: u32 [rows + 1], non-zeros before each row;
 * codes: their bit stream, or floats, from the byte on in which the first begins. scales, biases as in pack_codes;
 * floats have none. Returns the first row with a number that is not finite, or -1.
 */
export function pack_sparse(
  packed: usize,
  to: usize,
  codes: usize,
  scales: usize,
  biases: usize,
  mask: usize,
  starts: usize,
  rows: u32,
  k: u32,
): i32 {
  const blocks = (k + BLOCK - 1) / BLOCK;
  const panelBytes: usize = load<u32>(packed, PACKED_PANEL);
  const firstPanel = <u32>((to - panel_at(packed, 0)) / panelBytes);
  const isFloat = load<u32>(packed, PACKED_KERNEL) == KERNEL_SPARSE_FLOAT;
  const bits: u64 = bits_of(packed);
  const skipped = (load<u32>(starts) * bits) & ~7;
  memory.fill(to, 0, <usize>((rows + PANEL - 1) / PANEL) * panelBytes);
  for (let first: u32 = 0; first < rows; first += PANEL, to += panelBytes) {
    const panel = firstPanel + first / PANEL;
    const last = min<u32>(first + PANEL, rows);
    for (let row = first; row < last; row++) {
      pack_mask(packed, mask_at(packed, to), mask + <usize>row * blocks * 4, row - first, blocks);
    }
    make_room(packed, panel, blocks);
    for (let row = first; row < last; row++) {
      const scaleRow = shared_by(load<u32>(packed, PACKED_SCALE_ROWS), firstPanel * PANEL, row);
      if (!isFloat && !scales_of(packed, to, scales, biases, row - first, scaleRow, k)) return row;
      const at = load<u32>(starts + ((<usize>row) << 2)) * bits - skipped;
      if (!pack_row(packed, panel, row - first, blocks, isFloat, codes, at)) return row;
    }
  }
  return -1;
}

function pack_mask(packed: usize, to: usize, from: usize, lane: u32, blocks: u32): void {
  for (let b: u32 = 0; b < blocks; b++, to += MASK_BYTES, from += 4) {
    const bits = load<u32>(from);
    for (let i: u32 = 0; i < <u32>BLOCK; i++) {
      if (((bits >> i) & 1) == 0) continue;
      const bit = bit_of(packed, lane, i);
      const at = to + (bit >> 3);
      store<u8>(at, load<u8>(at) | <u8>((<u32>1) << (bit & 7)));
    }
  }
}

/** Says where the non-zeros of a panel end, whose mask is there; codes are zeroed. */
function make_room(packed: usize, panel: u32, blocks: u32): void {
  let count: u32 = 0;
  let mask = mask_at(packed, panel_at(packed, panel));
  for (let b: u32 = 0; b < blocks; b++, mask += MASK_BYTES) count += count_block(mask);
  const isFloat = load<u32>(packed, PACKED_KERNEL) == KERNEL_SPARSE_FLOAT;
  const codes = isFloat ? count : (count + BLOCK_CODES - 1) & -BLOCK_CODES;
  const at = nonzeros_at(packed, panel);
  const bytes = (<usize>codes * bits_of(packed)) >> 3;
  memory.fill(at, 0, bytes);
  end_nonzeros(packed, panel, at + bytes);
}

/** Non-zeros of one row to their places. at: bits from `from` to its first. False: one is not finite. */
function pack_row(
  packed: usize,
  panel: u32,
  lane: u32,
  blocks: u32,
  isFloat: bool,
  from: usize,
  at: u64,
): bool {
  const bits = bits_of(packed);
  const stream = nonzeros_at(packed, panel);
  let mask = mask_at(packed, panel_at(packed, panel));
  let passed: u32 = 0;
  for (let b: u32 = 0; b < blocks; b++, mask += MASK_BYTES) {
    for (let i: u32 = 0; i < <u32>BLOCK; i++) {
      const bit = bit_of(packed, lane, i);
      if (!is_there(mask, bit)) continue;
      const index = passed + count_below(mask, bit);
      const source = from + <usize>(at >> 3);
      if (isFloat) {
        if (!copy_number(dtype_of(packed), stream + ((<usize>index * bits) >> 3), source))
          return false;
      } else {
        const code = (<u32>load<u16>(source) >> <u32>(at & 7)) & ((1 << bits) - 1);
        store_nonzero(stream, bits, index, code);
      }
      at += bits;
    }
    passed += count_block(mask);
  }
  return true;
}

/** False: it is not finite. */
function copy_number(dtype: u32, to: usize, from: usize): bool {
  if (dtype == DTYPE_F32) {
    store<f32>(to, load<f32>(from));
    return is_finite<f32>(load<f32>(from));
  }
  store<u16>(to, load<u16>(from));
  return dtype == DTYPE_F16 ? is_finite<i16>(load<i16>(from)) : is_finite<u16>(load<u16>(from));
}

function scales_of(
  packed: usize,
  panel: usize,
  scales: usize,
  biases: usize,
  lane: u32,
  row: u32,
  k: u32,
): bool {
  const dtype = dtype_of(packed);
  if (dtype == DTYPE_F32)
    return pack_scales<f32>(packed, panel, scales, biases, 0, 0, lane, row, k);
  if (dtype == DTYPE_F16)
    return pack_scales<i16>(packed, panel, scales, biases, 0, 0, lane, row, k);
  return pack_scales<u16>(packed, panel, scales, biases, 0, 0, lane, row, k);
}

function store_nonzero(stream: usize, bits: u32, index: u32, code: u32): void {
  const block = stream + (((<usize>index / BLOCK_CODES) * bits) << 5);
  store_code(block, bits, row_of(index), k_of_code(index), code);
}
