// float16 and bfloat16 as bit patterns. Decoding is exact; encoding rounds to nearest, ties to
// even.

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

const F32_INFINITY = 0x7f800000;
/** 65520, halfway between the largest float16 and the next power of two: from here on infinity. */
const F16_OVERFLOW = 0x477ff000;
/** 2^-14, the smallest normal float16. */
const F16_NORMAL = 0x38800000;
/** Difference of the exponent biases, 127 - 15, in place. */
const F16_BIAS = 112 << 23;
/** 2^24: float16 subnormals count in steps of 2^-24. */
const F16_STEPS = 16777216;

/** The value of a float16. */
export function f16ToF32(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return ((bits & 0x8000 ? -1 : 1) * mantissa) / F16_STEPS;
  const sign = (bits & 0x8000) << 16;
  const magnitude = (exponent << 23) | (mantissa << 13);
  word[0] = sign | (exponent === 31 ? F32_INFINITY | magnitude : magnitude + F16_BIAS);
  return float[0]!;
}

/**
 * The float16 nearest to the float32 `x`: infinite from 65520 on, which is the caller's to check.
 */
export function f32ToF16(x: number): number {
  float[0] = x;
  const bits = word[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > F32_INFINITY) return sign | 0x7e00;
  if (magnitude >= F16_OVERFLOW) return sign | 0x7c00;
  if (magnitude < F16_NORMAL) return sign | roundHalfEven(Math.abs(float[0]!) * F16_STEPS);
  return sign | ((magnitude - F16_BIAS + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

/** The value of a bfloat16. */
export function bf16ToF32(bits: number): number {
  word[0] = bits << 16;
  return float[0]!;
}

/**
 * The bfloat16 nearest to the float32 `x`: infinite beyond the largest, which is the caller's to
 * check.
 */
export function f32ToBf16(x: number): number {
  float[0] = x;
  const bits = word[0]!;
  if ((bits & 0x7fffffff) > F32_INFINITY) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** For 0 <= x < 2^31. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
