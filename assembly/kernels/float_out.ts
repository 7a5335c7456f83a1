// Where a block's weights go as they are unpacked: to a tile that serves several rows of x, or, times the one row,
// straight to its sums. A type, so that an instance knows its own (widths.ts).

/** at: f32 [32, 8], the tile. */
export class ToTile {
  /** Bytes from one k to the next. */
  step(): usize {
    return 32;
  }
}

/** at: f32 [32], x. */
export class ToSums {
  step(): usize {
    return 4;
  }
}

/**
 * Four weights at one k: of rows 0 to 3 (half 0) or 4 to 7 (half 16).
 * @returns their sums, with x * w (float_rows.ts)
 */
export function put<Out>(at: usize, half: usize, sums: v128, w: v128): v128 {
  if (changetype<Out>(0).step() == 4) return f32x4.add(sums, f32x4.mul(v128.load32_splat(at), w));
  v128.store(at + half, w);
  return sums;
}
