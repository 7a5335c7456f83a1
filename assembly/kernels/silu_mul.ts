// out = silu(gate) * up, silu(z) = z / (1 + e^-z); all f32 [rows, k], out may be gate or up.
// Computes rows [begin, end).

import { exp1, exp4 } from '../simd';

export function silu_mul(out: usize, gate: usize, up: usize, k: u32, begin: u32, end: u32): void {
  const bytes = (<usize>k) << 2;
  let i = begin * bytes;
  const last = end * bytes;
  const one = f32x4.splat(1);
  for (; i + 16 <= last; i += 16) {
    const z = v128.load(gate + i);
    const silu = f32x4.div(z, f32x4.add(one, exp4(f32x4.neg(z))));
    v128.store(out + i, f32x4.mul(silu, v128.load(up + i)));
  }
  for (; i < last; i += 4) {
    const z = load<f32>(gate + i);
    store<f32>(out + i, (z / (1 + exp1(-z))) * load<f32>(up + i));
  }
}
