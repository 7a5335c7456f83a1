// Scales, or biases, of one row from a file's order to its lane of a panel, as group_scales.ts draws them.

import { PACKED_GROUP, PACKED_RECORD_GROUPS } from '../op_layout';
import { is_finite, load1 } from '../simd';
import { biases_at, has_steps, scales_at, steps_at } from './group_scales';
import { has_bias } from './operands';

/** The largest count of steps is -128. */
const MOST: f32 = 128;

/** Both of a row: `row` of those in the file. False: one is not finite. */
export function pack_scales<S>(
  packed: usize,
  panelAt: usize,
  scales: usize,
  biases: usize,
  scaleSteps: usize,
  biasSteps: usize,
  lane: u32,
  row: u32,
  k: u32,
): bool {
  if (!pack_numbers<S>(packed, panelAt, scales, scaleSteps, lane, row, k)) return false;
  if (!has_bias(packed)) return true;
  return pack_numbers<S>(packed, panelAt + biases_at(packed), biases, biasSteps, lane, row, k);
}

/**
 * numbers: S [rows, groups], or of two levels counts i8, with steps S [rows, steps]; row: of these.
 * False: one is not finite, or its largest scale is not.
 */
function pack_numbers<S>(
  packed: usize,
  panelAt: usize,
  numbers: usize,
  steps: usize,
  lane: u32,
  row: u32,
  k: u32,
): bool {
  const group = load<u32>(packed, PACKED_GROUP);
  // A file has groups of k, a panel those of whole blocks.
  const stored: u32 = group == 0 ? 1 : (k + group - 1) / group;
  const first = <usize>row * stored;
  const isTwo = has_steps(packed);
  for (let g: u32 = 0; g < stored; g++) {
    const to = scales_at(packed, panelAt, g);
    if (isTwo) {
      store<i8>(to + lane, load<i8>(numbers + first + g));
      continue;
    }
    const scale = load<S>(numbers + (first + g) * sizeof<S>());
    if (!is_finite<S>(scale)) return false;
    store<S>(to + lane * sizeof<S>(), scale);
  }
  if (!isTwo) return true;
  const perStep = load<u32>(packed, PACKED_RECORD_GROUPS);
  const count = (stored + perStep - 1) / perStep;
  for (let i: u32 = 0; i < count; i++) {
    const from = steps + (<usize>row * count + i) * sizeof<S>();
    if (!is_finite<S>(load<S>(from)) || !is_finite<f32>(load1<S>(from) * MOST)) return false;
    store<S>(steps_at(packed, panelAt, i * perStep) + lane * sizeof<S>(), load<S>(from));
  }
  return true;
}
