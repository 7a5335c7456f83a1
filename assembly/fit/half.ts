// Scales and biases as they are stored: float16 where that loses nothing that matters, else float32.

const MAX_HALF: f64 = 65504.0;
/** Smallest normal float16, 2^-14; below it the step is 2^-24. */
const MIN_NORMAL: f64 = 6.103515625e-5;
const SUBNORMAL_STEP: f64 = 5.960464477539063e-8;
/** Rounding may move a scale by this part of itself, 2^-9: 127 levels then move by a quarter of a step. */
const TOLERANCE: f64 = 0.001953125;

/** The float16 nearest to x, ties to even; infinite beyond 65504. */
export function round_to_half(x: f64): f64 {
  if (abs(x) < MIN_NORMAL) return nearest(x / SUBNORMAL_STEP) * SUBNORMAL_STEP;
  const bits = reinterpret<u32>(<f32>x);
  const rounded = <f64>reinterpret<f32>((bits + 0xfff + ((bits >> 13) & 1)) & 0xffffe000);
  return abs(rounded) > MAX_HALF ? copysign(Infinity, x) : rounded;
}

/** Whether float16 holds x without overflow, and without losing accuracy to underflow. */
export function holds_in_half(x: f64): bool {
  const size = abs(x);
  if (size >= MIN_NORMAL) return size < MAX_HALF;
  return abs(round_to_half(x) - x) <= size * TOLERANCE;
}

/** x as the type that holds it. */
export function as_stored(x: f64, inHalf: bool): f64 {
  return inHalf ? round_to_half(x) : <f64>(<f32>x);
}
