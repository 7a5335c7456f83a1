// float16 and bfloat16 for test data, written apart from the code under test.

import type { FloatType } from '../../bindings/formats/format.js';

/** The value of 16 bits of float16. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** The bits of the float16 nearest to x, ties to even; beyond 65504 the largest finite. */
export function toFloat16(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  if (magnitude >= 65520) return sign | 0x7bff;
  let low = 0;
  let high = 0x7bff;
  // Finite float16 magnitudes are in the order of their bits.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (fromFloat16(middle) <= magnitude) low = middle;
    else high = middle - 1;
  }
  if (low === 0x7bff) return sign | low;
  const below = magnitude - fromFloat16(low);
  const above = fromFloat16(low + 1) - magnitude;
  const up = above < below || (above === below && (low & 1) === 1);
  return sign | (up ? low + 1 : low);
}

/** Values rounded to a float type: the stored bits, and what they mean in float64. */
export function stored(
  values: ArrayLike<number>,
  type: FloatType,
): { readonly bits: Float32Array | Uint16Array; readonly values: Float64Array } {
  const f32 = Float32Array.from(values);
  if (type === 'f32') return { bits: f32, values: Float64Array.from(f32) };
  if (type === 'f16') {
    const bits = Uint16Array.from(f32, toFloat16);
    return { bits, values: Float64Array.from(bits, fromFloat16) };
  }
  // bfloat16 by cutting: any bits will do for a test.
  const words = new Uint32Array(f32.buffer);
  const cut = words.map((word) => word & 0xffff0000);
  return {
    bits: Uint16Array.from(words, (word) => word >>> 16),
    values: Float64Array.from(new Float32Array(cut.buffer)),
  };
}
