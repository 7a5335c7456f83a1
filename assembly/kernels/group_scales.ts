// How the scales of a record lie (code_panel.ts), and its biases behind them, likewise:
//
//   one level    S  [PACKED_RECORD_GROUPS, 8]   S: PACKED_DTYPE
//   two levels   i8 [PACKED_RECORD_GROUPS, 8]   counts of the record's step
//                S  [8]                         scale = step * count, rounded to f32

import {
  DTYPE_F16,
  DTYPE_F32,
  PACKED_LEVELS,
  PACKED_RECORD,
  PACKED_RECORD_GROUPS,
  PANEL,
} from '../op_layout';
import { load1, load4 } from '../simd';
import { dtype_of } from './operands';

/** Whether scales are counts of steps. */
export function has_steps(packed: usize): bool {
  return load<u32>(packed, PACKED_LEVELS) == 2;
}

/** The 8 scales, or counts, of group g of the panel at `panelAt`. */
export function scales_at(packed: usize, panelAt: usize, g: u32): usize {
  const groups = load<u32>(packed, PACKED_RECORD_GROUPS);
  const bytes: usize = has_steps(packed) ? 1 : scale_bytes(dtype_of(packed));
  return record_of(packed, panelAt, g) + <usize>(g % groups) * PANEL * bytes;
}

/** The 8 steps of group g. */
export function steps_at(packed: usize, panelAt: usize, g: u32): usize {
  return record_of(packed, panelAt, g) + <usize>load<u32>(packed, PACKED_RECORD_GROUPS) * PANEL;
}

function record_of(packed: usize, panelAt: usize, g: u32): usize {
  const groups = load<u32>(packed, PACKED_RECORD_GROUPS);
  return panelAt + <usize>(g / groups) * load<u32>(packed, PACKED_RECORD);
}

/** Bytes from scales, counts or steps of a group to those of its biases. */
export function biases_at(packed: usize): usize {
  const groups = <usize>load<u32>(packed, PACKED_RECORD_GROUPS) * PANEL;
  const bytes = scale_bytes(dtype_of(packed));
  return has_steps(packed) ? groups + PANEL * bytes : groups * bytes;
}

/** Scales of group g of rows [lane, lane + 4) of a panel; with panelAt + biases_at its biases. */
export function scales4(packed: usize, panelAt: usize, g: u32, lane: u32): v128 {
  const dtype = dtype_of(packed);
  const at = lane * scale_bytes(dtype);
  if (!has_steps(packed)) return load_scales(dtype, scales_at(packed, panelAt, g) + at);
  const steps = load_scales(dtype, steps_at(packed, panelAt, g) + at);
  return f32x4.mul(steps, load4<i8>(scales_at(packed, panelAt, g) + lane));
}

/** One of them. */
export function scale1(packed: usize, panelAt: usize, g: u32, lane: u32): f32 {
  const dtype = dtype_of(packed);
  const at = lane * scale_bytes(dtype);
  if (!has_steps(packed)) return load_number(dtype, scales_at(packed, panelAt, g) + at);
  const step = load_number(dtype, steps_at(packed, panelAt, g) + at);
  return step * load1<i8>(scales_at(packed, panelAt, g) + lane);
}

/** Bytes of one scale or step. */
export function scale_bytes(dtype: u32): usize {
  return dtype == DTYPE_F32 ? 4 : 2;
}

/** Numbers of 4 rows. */
export function load_scales(dtype: u32, at: usize): v128 {
  if (dtype == DTYPE_F16) return load4<i16>(at);
  return dtype == DTYPE_F32 ? v128.load(at) : load4<u16>(at);
}

/** One number: a scale, or a float weight. */
export function load_number(dtype: u32, at: usize): f32 {
  if (dtype == DTYPE_F16) return load1<i16>(at);
  return dtype == DTYPE_F32 ? load<f32>(at) : load1<u16>(at);
}
