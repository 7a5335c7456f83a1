// Rotates pairs (a, b) of every head, in place: a' = a cos - b sin, b' = b cos + a sin.
// (Su et al. 2021, RoFormer.)
//
//   x      f32 [rows, heads, headDim]
//   angles f32 [rows, headDim]   cos [headDim / 2], sin [headDim / 2], from rope_angles
//   interleaved  0: pairs (i, i + headDim / 2); 1: pairs (2i, 2i + 1)
//
// Computes rows [begin, end).

export function rope(
  x: usize,
  angles: usize,
  heads: u32,
  headDim: u32,
  interleaved: u32,
  begin: u32,
  end: u32,
): void {
  const half = (<usize>headDim) << 1; // bytes of headDim / 2 floats
  const step: usize = interleaved ? 8 : 4;
  const other: usize = interleaved ? 4 : half;
  for (let row = begin; row < end; row++) {
    const cos = angles + ((<usize>row * headDim) << 2);
    const sin = cos + half;
    let head = x + ((<usize>row * heads * headDim) << 2);
    for (let h: u32 = 0; h < heads; h++, head += half << 1) {
      let at = head;
      for (let i: usize = 0; i < half; i += 4, at += step) {
        const c = load<f32>(cos + i);
        const s = load<f32>(sin + i);
        const a = load<f32>(at);
        const b = load<f32>(at + other);
        store<f32>(at, a * c - b * s);
        store<f32>(at + other, b * c + a * s);
      }
    }
  }
}
