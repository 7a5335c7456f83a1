// out[i] = x[list[i]]: the rows whose logits are wanted.
//
//   out  f32 [count, k]
//   x    f32 [rows, k]
//   list u32 [count]
//
// Computes out rows [begin, end).

export function select_rows(out: usize, x: usize, list: usize, k: u32, begin: u32, end: u32): void {
  const bytes = (<usize>k) << 2;
  for (let i = begin; i < end; i++) {
    const row = load<u32>(list + ((<usize>i) << 2));
    memory.copy(out + i * bytes, x + row * bytes, bytes);
  }
}
