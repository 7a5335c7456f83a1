// Vector words shared by the kernels. Everything here is inlined by the optimizer; a test looks.
//
// Type parameters name what lies in memory: f32, i16 for float16, u16 for bfloat16, i8 for int8.

/** 2^-100: values whose largest is below it quantize to zero, as 127 / largest would overflow. */
export const TINY: f32 = 7.888609052210118e-31;

export const TWO_112: f32 = 5192296858534827628530496329220096.0;

// Constants of vectors lie in memory: a literal would be built anew, from three instructions, at each use.

/** float16 as f32: its bits once sign-extended and shifted; 2^112; sign and magnitude >> 3 of the upper half. */
export const FLOAT16 = memory.data<u32>(
  [
    0x8fffffff, 0x8fffffff, 0x8fffffff, 0x8fffffff, 0x77800000, 0x77800000, 0x77800000, 0x77800000,
    0x8fff8fff, 0x8fff8fff, 0x8fff8fff, 0x8fff8fff,
  ],
  16,
);

/** Four consecutive values at `p`, as f32x4. float16 must be finite: loading checks it. */
export function load4<T>(p: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(p);
  if (sizeof<T>() == 1) {
    const wide = i16x8.extend_low_i8x16_s(v128.load32_zero(p));
    return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(wide));
  }
  if (isSigned<T>()) {
    return from_float16(v128.load16x4_s(p));
  }
  return i32x4.shl(v128.load16x4_u(p), 16);
}

/** As load4, of the values that a vector begins with: f32, i16 (float16) or i8. */
export function first4<T>(v: v128): v128 {
  if (sizeof<T>() == 4) return v;
  if (sizeof<T>() == 2) return from_float16(i32x4.extend_low_i16x8_s(v));
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v)));
}

/** Sign-extended float16: exponent and mantissa move to their f32 places; 2^112 is the difference of the biases. */
function from_float16(bits: v128): v128 {
  const shifted = i32x4.shl(bits, 13);
  return f32x4.mul(v128.and(shifted, v128.load(FLOAT16)), v128.load(FLOAT16, 16));
}

/** One value at `p` as f32: lane 0 of load4, for tails. */
export function load1<T>(p: usize): f32 {
  if (sizeof<T>() == 4) return load<f32>(p);
  if (sizeof<T>() == 1) return <f32>load<i8>(p);
  if (isSigned<T>()) return reinterpret<f32>((load<i16>(p) << 13) & 0x8fffffff) * TWO_112;
  return reinterpret<f32>(load<u16>(p) << 16);
}

/** Whether a stored number is neither infinite nor NaN. T: f32, i16 (float16), u16 (bfloat16). */
export function is_finite<T>(value: T): bool {
  if (isFloat<T>()) return value - value == <T>0;
  if (isSigned<T>()) return (<u32>value & 0x7c00) != 0x7c00;
  return (<u32>value & 0x7f80) != 0x7f80;
}

/** Bits of x as float16, rounded half to even; beyond 65504 it saturates. */
export function float16(x: f32): u16 {
  const bits = reinterpret<u32>(x);
  const sign = (bits >> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x477ff000) return <u16>(sign | 0x7bff);
  if (magnitude < 0x38800000) {
    // Subnormal: adding 0.5 lets the float adder round to multiples of 2^-24.
    const rounded = reinterpret<u32>(reinterpret<f32>(magnitude) + 0.5) - 0x3f000000;
    return <u16>(sign | rounded);
  }
  return <u16>(sign | ((magnitude - 0x38000000 + 0x0fff + ((magnitude >> 13) & 1)) >> 13));
}

/** ((a + b) + (c + d)) of the four lanes. */
export function sum4(v: v128): f32 {
  const low = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  return low + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Largest of the four lanes; NaN if one is. */
export function max4(v: v128): f32 {
  const pairs = f32x4.max(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return max<f32>(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** exp4: bounds of x; 1 / ln 2; 1.5 * 2^23; ln 2 in two parts; 1/6!, 1/5! ... 1/0!. */
const EXP = memory.data<f32>(
  [
    -87.3, -87.3, -87.3, -87.3, 88.3, 88.3, 88.3, 88.3, 1.44269504, 1.44269504, 1.44269504,
    1.44269504, 12582912.0, 12582912.0, 12582912.0, 12582912.0, 0.693359375, 0.693359375,
    0.693359375, 0.693359375, 2.1219444e-4, 2.1219444e-4, 2.1219444e-4, 2.1219444e-4,
    0.001388888888888889, 0.001388888888888889, 0.001388888888888889, 0.001388888888888889,
    0.008333333333333333, 0.008333333333333333, 0.008333333333333333, 0.008333333333333333,
    0.041666666666666664, 0.041666666666666664, 0.041666666666666664, 0.041666666666666664,
    0.16666666666666666, 0.16666666666666666, 0.16666666666666666, 0.16666666666666666, 0.5, 0.5,
    0.5, 0.5, 1.0, 1.0, 1.0, 1.0,
  ],
  16,
);

/**
 * e^x on four lanes: x = n ln 2 + r, Taylor to r^6 (relative error 2e-7). 0 below -87.3, where the result
 * would be subnormal; largest finite power above 88.3; NaN stays NaN. Adding 1.5 * 2^23 rounds to an integer
 * and leaves it in the low bits.
 */
export function exp4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, v128.load(EXP)), v128.load(EXP, 16));
  const shifted = f32x4.add(f32x4.mul(clamped, v128.load(EXP, 32)), v128.load(EXP, 48));
  const n = f32x4.sub(shifted, v128.load(EXP, 48));
  let r = f32x4.sub(clamped, f32x4.mul(n, v128.load(EXP, 64)));
  r = f32x4.add(r, f32x4.mul(n, v128.load(EXP, 80)));
  let p = f32x4.add(f32x4.mul(r, v128.load(EXP, 96)), v128.load(EXP, 112));
  p = f32x4.add(f32x4.mul(p, r), v128.load(EXP, 128));
  p = f32x4.add(f32x4.mul(p, r), v128.load(EXP, 144));
  p = f32x4.add(f32x4.mul(p, r), v128.load(EXP, 160));
  p = f32x4.add(f32x4.mul(p, r), v128.load(EXP, 176));
  p = f32x4.add(f32x4.mul(p, r), v128.load(EXP, 176));
  const power = i32x4.add(i32x4.shl(shifted, 23), v128.load(EXP, 176));
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, v128.load(EXP)));
}

/** e^x: lane 0 of exp4, the same bits. */
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}

/**
 * Products of 4 rows x 4 k, neighbours along k added: i16x8 with lanes (row, k pair). x is int8, w is
 * 0..127 and 2 * |x| * w must fit i16. Both builds give the same integers.
 */
export function dot_i8_u7(x: v128, w: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_dot_i8x16_i7x16_s(x, w);
  const even = i16x8.mul(even_i8(x), v128.and(w, i16x8.splat(0xff)));
  return i16x8.add(even, i16x8.mul(odd_i8(x), i16x8.shr_u(w, 8)));
}

/**
 * Dot products of 4 rows x 4 k as i32x4, one lane a row. x is int8 within +-127, w is 0..127. ones: i16x8 of
 * 1, in a register of the caller's; extadd_pairwise would load it for every dot.
 */
export function dot4_i8_u7(x: v128, w: v128, ones: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(x, w), ones);
  }
  const even = i32x4.dot_i16x8_s(even_i8(x), v128.and(w, i16x8.splat(0xff)));
  return i32x4.add(even, i32x4.dot_i16x8_s(odd_i8(x), i16x8.shr_u(w, 8)));
}

/** Bytes of `table` at indices 0..15; any other index is the caller's error. */
export function swizzle(table: v128, indices: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, indices);
  return i8x16.swizzle(table, indices);
}

/** Bytes 0, 2, 4 ... of x, sign-extended to i16x8. */
export function even_i8(x: v128): v128 {
  return i16x8.shr_s(i16x8.shl(x, 8), 8);
}

/** Bytes 1, 3, 5 ... of x, sign-extended to i16x8. */
export function odd_i8(x: v128): v128 {
  return i16x8.shr_s(x, 8);
}
