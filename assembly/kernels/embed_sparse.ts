// out[row] = row `token` of a sparse matrix: 0 where no weight is, else as embed.ts has it of a dense one.
//
//   out  f32 [rows, k], of the op's OP_OUT
//   rows row table of the step (op_layout.ts)
//   packed  as sparse_panel.ts draws it
//
// Computes rows [begin, end).

import {
  BLOCK,
  BLOCK_CODES,
  KERNEL_SPARSE_FLOAT,
  PACKED_KERNEL,
  PANEL,
  ROW_BYTES,
  ROW_TOKEN,
} from '../op_layout';
import { bits_of, group_at, panel_at, value_of } from './code_panel';
import { code_at } from './codes';
import { biases_at, load_number, scale_bytes, scales_at } from './group_scales';
import { dtype_of, has_bias, k_of, y_of } from './operands';
import {
  bit_of,
  count_below,
  count_block,
  is_there,
  k_of_code,
  MASK_BYTES,
  mask_at,
  nonzeros_at,
  row_of,
} from './sparse_panel';

export function embed_sparse(op: usize, packed: usize, rows: usize, begin: u32, end: u32): void {
  const k = k_of(op);
  for (let row = begin; row < end; row++) {
    const token = load<u32>(rows + row * ROW_BYTES, ROW_TOKEN);
    const panel = panel_at(packed, token / PANEL);
    const stream = nonzeros_at(packed, token / PANEL);
    const to = y_of(op) + ((<usize>row * k) << 2);
    let mask = mask_at(packed, panel);
    let passed: u32 = 0;
    for (let first: u32 = 0; first < k; first += BLOCK, mask += MASK_BYTES) {
      const last = min<u32>(first + BLOCK, k);
      for (let i = first; i < last; i++) {
        const bit = bit_of(packed, token % PANEL, i - first);
        let value: f32 = 0;
        if (is_there(mask, bit)) {
          value = weight_of(packed, token, i, stream, passed + count_below(mask, bit));
        }
        store<f32>(to + ((<usize>i) << 2), value);
      }
      passed += count_block(mask);
    }
  }
}

/** The weight of k = i of a row, which is the panel's non-zero `index`. */
function weight_of(packed: usize, row: u32, i: u32, stream: usize, index: u32): f32 {
  const dtype = dtype_of(packed);
  const size = scale_bytes(dtype);
  if (load<u32>(packed, PACKED_KERNEL) == KERNEL_SPARSE_FLOAT) {
    return load_number(dtype, stream + index * size);
  }
  const bits = bits_of(packed);
  const block = stream + (((<usize>index / BLOCK_CODES) * bits) << 5);
  const code = code_at(block, bits, row_of(index), k_of_code(index));
  const at =
    scales_at(packed, panel_at(packed, row / PANEL), group_at(packed, i)) + (row % PANEL) * size;
  const bias: f32 = has_bias(packed) ? load_number(dtype, at + biases_at(packed)) : 0;
  return value_of(packed, row, code) * load_number(dtype, at) + bias;
}
