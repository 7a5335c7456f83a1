// Stored floats as float32, every one of which they hold exactly.
//
//   from    T [count]: i16 float16, u16 bfloat16, f32
//   to      f32 [count]
//
// Returns whether all are finite. The caller has room for whole vectors at both.

import { is_finite, load4 } from '../simd';

export function widen_f16(from: usize, to: usize, count: u32): bool {
  return widen<i16>(from, to, count);
}

export function widen_bf16(from: usize, to: usize, count: u32): bool {
  return widen<u16>(from, to, count);
}

export function widen_f32(from: usize, to: usize, count: u32): bool {
  return widen<f32>(from, to, count);
}

function widen<T>(from: usize, to: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i += 4) {
    v128.store(to + ((<usize>i) << 2), load4<T>(from + <usize>i * sizeof<T>()));
  }
  for (let i: u32 = 0; i < count; i++) {
    if (!is_finite<T>(load<T>(from + <usize>i * sizeof<T>()))) return false;
  }
  return true;
}
