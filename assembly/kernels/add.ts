// out += x, both f32 [rows, k]. Computes rows [begin, end).

export function add(out: usize, x: usize, k: u32, begin: u32, end: u32): void {
  const bytes = (<usize>k) << 2;
  let i = begin * bytes;
  const last = end * bytes;
  for (; i + 16 <= last; i += 16) {
    v128.store(out + i, f32x4.add(v128.load(out + i), v128.load(x + i)));
  }
  for (; i < last; i += 4) store<f32>(out + i, load<f32>(out + i) + load<f32>(x + i));
}
