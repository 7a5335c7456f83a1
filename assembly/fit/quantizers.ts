// Linear quantizers as others have them, bit for bit: every step in float32, ties to even.
//
//   weights f32 [rows, k]        finite
//   codes   u8 [rows, stride]    written: q; without meaning behind k
//   scales  f32 [rows, groups]   written, not rounded: codes are chosen before they are
//   biases  f32 [rows, groups]   written, unless 0

import { group_length } from './groups';

/** MLX's smallest scale. */
const LEAST_SCALE: f32 = 1e-7;

/**
 * w = scale * q + bias as `mx.quantize` chooses: the edge of larger magnitude is exact, and so is zero.
 * Formula: MLX's affine_quantize.
 */
export function quantize_mlx(
  weights: usize,
  rows: u32,
  k: u32,
  group: u32,
  bits: u32,
  codes: usize,
  stride: u32,
  scales: usize,
  biases: usize,
): void {
  const levels = <f32>(((<u32>1) << bits) - 1);
  for (let row: u32 = 0; row < rows; row++, weights += (<usize>k) << 2, codes += stride) {
    for (let begin: u32 = 0; begin < k; begin += group, scales += 4, biases += 4) {
      const w = weights + ((<usize>begin) << 2);
      const length = group_length(k, group, begin / group);
      const low = least(w, length);
      const high = largest(w, length);
      const below = abs(low) > abs(high);
      const size = max<f32>((high - low) / levels, LEAST_SCALE);
      let scale = below ? size : -size;
      const edge = below ? low : high;
      const steps = nearest(edge / scale);
      const bias: f32 = steps == 0 ? 0 : edge;
      if (steps != 0) scale = edge / steps;
      store<f32>(scales, scale);
      store<f32>(biases, bias);
      for (let i: u32 = 0; i < length; i++) {
        const q = nearest((load<f32>(w + ((<usize>i) << 2)) - bias) / scale);
        store<u8>(codes + begin + i, <u8>max<f32>(0, min<f32>(q, levels)));
      }
    }
  }
}

/**
 * w = scale * (q - zero) as coremltools chooses, of a signed or an unsigned type. With biases, which are -scale * zero,
 * mode `linear`; without, `linear_symmetric`, whose zero is then moved to 2^(bits - 1). A group of zeros, which
 * coremltools has no scale for, gets scale 0. Formula: compute_qparams of coremltools.optimize.
 */
export function quantize_core_ml(
  weights: usize,
  rows: u32,
  k: u32,
  group: u32,
  bits: u32,
  signed: bool,
  codes: usize,
  stride: u32,
  scales: usize,
  biases: usize,
): void {
  const count: f32 = <f32>((<u32>1) << bits);
  const lowest: f32 = signed ? -count / 2 : 0;
  for (let row: u32 = 0; row < rows; row++, weights += (<usize>k) << 2, codes += stride) {
    for (let begin: u32 = 0; begin < k; begin += group, scales += 4) {
      const w = weights + ((<usize>begin) << 2);
      const length = group_length(k, group, begin / group);
      const low = least(w, length);
      const high = largest(w, length);
      if (biases == 0) {
        const most = max<f32>(abs(low), abs(high));
        const levels = count / 2 - 1;
        const scale = (most + most) / (levels + levels);
        store<f32>(scales, scale);
        quantize(w, length, scale, 0, -levels, levels, count / 2, codes + begin);
        continue;
      }
      const from = min<f32>(0, low);
      const to = max<f32>(0, high);
      const highest = lowest + count - 1;
      const scale = (to - from) / (highest - lowest);
      const exact = nearest((lowest * to - highest * from) / (to - from));
      const zero = scale == 0 ? lowest : max<f32>(lowest, min<f32>(exact, highest));
      store<f32>(scales, scale);
      store<f32>(biases, <f32>0 - scale * (zero - lowest));
      biases += 4;
      quantize(w, length, scale, zero, lowest, highest, -lowest, codes + begin);
    }
  }
}

/** Levels, moved by `shift` to be codes. */
function quantize(
  w: usize,
  length: u32,
  scale: f32,
  zero: f32,
  lowest: f32,
  highest: f32,
  shift: f32,
  codes: usize,
): void {
  for (let i: u32 = 0; i < length; i++) {
    const steps: f32 = scale == 0 ? 0 : nearest(load<f32>(w + ((<usize>i) << 2)) / scale);
    const q = max<f32>(lowest, min<f32>(steps + zero, highest));
    store<u8>(codes + i, <u8>(q + shift));
  }
}

function least(w: usize, length: u32): f32 {
  let value: f32 = Infinity;
  for (let i: u32 = 0; i < length; i++) value = min(value, load<f32>(w + ((<usize>i) << 2)));
  return value;
}

function largest(w: usize, length: u32): f32 {
  let value: f32 = -Infinity;
  for (let i: u32 = 0; i < length; i++) value = max(value, load<f32>(w + ((<usize>i) << 2)));
  return value;
}
