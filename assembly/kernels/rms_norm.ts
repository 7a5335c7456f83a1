// out = x / sqrt(mean(x^2) + eps) * weight, per row.
//
//   out f32 [rows, k]   may be x
//   x   f32 [rows, k]
//   weight f32 [k]
//
// Computes rows [begin, end). Squares are summed in 16 lanes, added up in a fixed order. A row whose squares overflow
// becomes NaN: the infinite sum would make zeros of its largest values.

import { sum4 } from '../simd';

export function rms_norm(
  out: usize,
  x: usize,
  weight: usize,
  k: u32,
  eps: f32,
  begin: u32,
  end: u32,
): void {
  const bytes = (<usize>k) << 2;
  const whole = bytes & ~63;
  for (let row = begin; row < end; row++) {
    const xr = x + row * bytes;
    const to = out + row * bytes;
    const squares = sum_of_squares(xr, bytes, whole);
    const factor: f32 = squares < <f32>Infinity ? 1 / sqrt<f32>(squares / <f32>k + eps) : NaN;
    const factors = f32x4.splat(factor);
    for (let i: usize = 0; i < whole; i += 16) {
      const scaled = f32x4.mul(v128.load(xr + i), factors);
      v128.store(to + i, f32x4.mul(scaled, v128.load(weight + i)));
    }
    for (let i = whole; i < bytes; i += 4) {
      store<f32>(to + i, load<f32>(xr + i) * factor * load<f32>(weight + i));
    }
  }
}

function sum_of_squares(x: usize, bytes: usize, whole: usize): f32 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (let i: usize = 0; i < whole; i += 64) {
    const v0 = v128.load(x + i);
    const v1 = v128.load(x + i, 16);
    const v2 = v128.load(x + i, 32);
    const v3 = v128.load(x + i, 48);
    a = f32x4.add(a, f32x4.mul(v0, v0));
    b = f32x4.add(b, f32x4.mul(v1, v1));
    c = f32x4.add(c, f32x4.mul(v2, v2));
    d = f32x4.add(d, f32x4.mul(v3, v3));
  }
  let sum = sum4(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (let i = whole; i < bytes; i += 4) {
    const v = load<f32>(x + i);
    sum += v * v;
  }
  return sum;
}
