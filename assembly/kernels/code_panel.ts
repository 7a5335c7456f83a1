// What the kernels of codes (matvec_codes, matmul_tile, matmul_codes_float, embed_codes, pack_codes) have in common:
// how their matrix lies, which its header tells.
//
//   tables  PACKED_ENTRY [tables, 2^bits, PACKED_DIM], only of palettes: PACKED_TABLE bytes each, at least 16, one
//             for PACKED_TABLE_ROWS rows
//   panel   [ceil(n / 8)] from PACKED_FIRST on, PACKED_PANEL bytes each
//   record  in a panel one behind the other, PACKED_RECORD bytes each; the last may have fewer blocks
//             scales of PACKED_RECORD_GROUPS groups (group_scales.ts), unless PACKED_CODES is 0
//             biases likewise, only with PACKED_HAS_BIAS
//             codes  [PACKED_RECORD_BLOCKS] of 32 * bits bytes (codes.ts), from PACKED_CODES on
//
// A group is PACKED_GROUP weights along k: 16, 32, 64 or 128; or 0, all of a row. A record is a group, two of 16,
// what shares a step, or a row: so a panel is read from front to back. (Scales apart from codes, two places read in turn, took twice the time.)
//
// With PACKED_DIM d above 1, an index serves d rows and a panel has 8 / d rows of indices: d blocks of k share the
// 8 rows of a block of codes. Those of block b lie in block b / d, from row (b % d) * (8 / d) on. A record is a row.

import {
  BLOCK,
  DTYPE_F16,
  DTYPE_F32,
  PACKED_BITS,
  PACKED_BYTES,
  PACKED_CODES,
  PACKED_DIM,
  PACKED_ENTRY,
  PACKED_FIRST,
  PACKED_GROUP,
  PACKED_PANEL,
  PACKED_RECORD,
  PACKED_RECORD_BLOCKS,
  PACKED_TABLE,
  PACKED_TABLE_ROWS,
  PANEL,
} from '../op_layout';
import { load1 } from '../simd';
import { code_at } from './codes';
import { has_bias } from './operands';

export function panel_at(packed: usize, panel: u32): usize {
  return packed + load<u32>(packed, PACKED_FIRST) + <usize>panel * load<u32>(packed, PACKED_PANEL);
}

export function bits_of(packed: usize): u32 {
  return load<u32>(packed, PACKED_BITS);
}

/** What a code of 0 means without biases and tables, in steps below zero. */
export function zero_of(packed: usize): i32 {
  return has_bias(packed) || is_palette(packed) ? 0 : 1 << (bits_of(packed) - 1);
}

export function is_palette(packed: usize): bool {
  return load<u32>(packed, PACKED_TABLE) != 0;
}

/** The table of a row. */
export function table_at(packed: usize, row: u32): usize {
  const rows = load<u32>(packed, PACKED_TABLE_ROWS);
  const table: usize = rows == 0 ? 0 : row / rows;
  return packed + PACKED_BYTES + table * load<u32>(packed, PACKED_TABLE);
}

/** Rows that an index serves. */
export function dim_of(packed: usize): u32 {
  return load<u32>(packed, PACKED_DIM);
}

/** DTYPE_* of a table's values. */
export function entry_of(packed: usize): u32 {
  return load<u32>(packed, PACKED_ENTRY);
}

/** Bytes of an entry: all its values. */
export function entry_bytes(packed: usize): u32 {
  const entry = entry_of(packed);
  const bytes: u32 = entry == DTYPE_F32 ? 4 : entry == DTYPE_F16 ? 2 : 1;
  return bytes * dim_of(packed);
}

/** Whether the 8 rows of every panel have one table. */
export function shares_tables(packed: usize): bool {
  return load<u32>(packed, PACKED_TABLE_ROWS) % PANEL == 0;
}

/** Weights along k that share a scale, 0: a row. */
export function group_of(packed: usize): u32 {
  return load<u32>(packed, PACKED_GROUP);
}

/** Block b of the codes of the panel at `panelAt`. */
export function block_at(packed: usize, panelAt: usize, b: u32): usize {
  const blocks = load<u32>(packed, PACKED_RECORD_BLOCKS);
  const record = panelAt + <usize>(b / blocks) * load<u32>(packed, PACKED_RECORD);
  return record + load<u32>(packed, PACKED_CODES) + ((<usize>(b % blocks) * bits_of(packed)) << 5);
}

/** The group of the panel's k. */
export function group_at(packed: usize, k: u32): u32 {
  const group = group_of(packed);
  return group == 0 ? 0 : k / group;
}

/** Whether its values are multiplied by scales. */
export function has_scales(packed: usize): bool {
  return load<u32>(packed, PACKED_CODES) != 0;
}

/** The code of row `lane` of the panel at `panelAt`, k = i. */
export function code_of(packed: usize, panelAt: usize, lane: u32, i: u32): u32 {
  const bits = bits_of(packed);
  const dim = dim_of(packed);
  const block = i / BLOCK;
  const row = (block % dim) * (PANEL / dim) + lane / dim;
  return code_at(block_at(packed, panelAt, block / dim), bits, row, i % BLOCK);
}

/** The value of a code of row `row`, before scale and bias. */
export function value_of(packed: usize, row: u32, code: u32): f32 {
  if (!is_palette(packed)) return <f32>(<i32>code - zero_of(packed));
  const at = table_at(packed, row) + <usize>code * entry_bytes(packed);
  const lane = row % dim_of(packed);
  const entry = entry_of(packed);
  if (entry == DTYPE_F32) return load<f32>(at + ((<usize>lane) << 2));
  return entry == DTYPE_F16 ? load1<i16>(at + ((<usize>lane) << 1)) : load1<i8>(at + lane);
}
