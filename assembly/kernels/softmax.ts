// x = softmax(x / temperature), in place: e^((x - max x) / temperature) over their sum.
//
//   x f32 [n], n > 0; entries of -Infinity become 0
//
// The sum runs over 4 lanes in ascending order, then the tail.

import { exp1, exp4, max4, sum4 } from '../simd';

export function softmax(x: usize, n: u32, temperature: f32): void {
  const bytes = (<usize>n) << 2;
  const whole = bytes & ~15;
  const factor: f32 = 1 / temperature;

  let maxima = f32x4.splat(-Infinity);
  for (let i: usize = 0; i < whole; i += 16) maxima = f32x4.max(maxima, v128.load(x + i));
  let largest = max4(maxima);
  for (let i = whole; i < bytes; i += 4) largest = max<f32>(largest, load<f32>(x + i));

  let sums = f32x4.splat(0);
  for (let i: usize = 0; i < whole; i += 16) {
    const shifted = f32x4.sub(v128.load(x + i), f32x4.splat(largest));
    const e = exp4(f32x4.mul(shifted, f32x4.splat(factor)));
    v128.store(x + i, e);
    sums = f32x4.add(sums, e);
  }
  let sum = sum4(sums);
  for (let i = whole; i < bytes; i += 4) {
    const e = exp1((load<f32>(x + i) - largest) * factor);
    store<f32>(x + i, e);
    sum += e;
  }

  const inverse: f32 = 1 / sum;
  for (let i: usize = 0; i < bytes; i += 4) store<f32>(x + i, load<f32>(x + i) * inverse);
}
