// Float16 as the type that scales and biases are stored in.

const MAX_HALF = 65504;
/** Smallest normal float16, 2^-14; below it the step is 2^-24. */
const MIN_NORMAL = 2 ** -14;
const SUBNORMAL_STEP = 2 ** -24;
/** Rounding may move a scale by this part of itself: 127 levels then move by a quarter of a step. */
const TOLERANCE = 2 ** -9;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The float16 nearest to `x`, ties to even; infinite beyond 65504. */
export function roundToHalf(x: number): number {
  if (Math.abs(x) < MIN_NORMAL) return roundToEven(x / SUBNORMAL_STEP) * SUBNORMAL_STEP;
  float[0] = x;
  const b = bits[0] as number;
  bits[0] = (b + 0xfff + ((b >>> 13) & 1)) & ~0x1fff;
  const rounded = float[0] as number;
  return Math.abs(rounded) > MAX_HALF ? Math.sign(x) * Number.POSITIVE_INFINITY : rounded;
}

/** Whether float16 holds `x` without overflow, and without losing accuracy to underflow. */
export function holdsInHalf(x: number): boolean {
  const size = Math.abs(x);
  if (size >= MIN_NORMAL) return size < MAX_HALF;
  return Math.abs(roundToHalf(x) - x) <= size * TOLERANCE;
}

/** Adding and subtracting 1.5 * 2^52 leaves the nearest integer, ties to even. */
function roundToEven(x: number): number {
  const shift = 1.5 * 2 ** 52;
  return x + shift - shift;
}
