// Every op of a plan as plain float64 loops: the oracle of the kernel tests, and the place to read what an
// op means. All matrices are row-major; shapes stand beside the names. Nothing here is fast.

/** out [rows, k] = table[tokens], table [vocabSize, k] */
export function embed(tokens: readonly number[], table: Float64Array, k: number): Float64Array {
  const out = new Float64Array(tokens.length * k);
  tokens.forEach((token, row) => {
    out.set(table.subarray(token * k, (token + 1) * k), row * k);
  });
  return out;
}

/** out [rows, 2 * frequencies.length]: per position the cosines, then the sines of position * frequency */
export function ropeAngles(positions: readonly number[], frequencies: Float64Array): Float64Array {
  const half = frequencies.length;
  const out = new Float64Array(positions.length * 2 * half);
  positions.forEach((position, row) => {
    for (let i = 0; i < half; i++) {
      out[row * 2 * half + i] = Math.cos(position * frequencies[i]!);
      out[row * 2 * half + half + i] = Math.sin(position * frequencies[i]!);
    }
  });
  return out;
}

/** out [rows, k] = x / sqrt(mean(x^2) + eps) * weight, x [rows, k], weight [k] */
export function rmsNorm(x: Float64Array, weight: Float64Array, eps: number): Float64Array {
  const k = weight.length;
  const out = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += k) {
    let squares = 0;
    for (let i = 0; i < k; i++) squares += x[row + i]! ** 2;
    const scale = 1 / Math.sqrt(squares / k + eps);
    for (let i = 0; i < k; i++) out[row + i] = x[row + i]! * scale * weight[i]!;
  }
  return out;
}

/** out [m, n] = x [m, k] @ w^T, w [n, k] */
export function matmul(x: Float64Array, w: Float64Array, k: number): Float64Array {
  const m = x.length / k;
  const n = w.length / k;
  const out = new Float64Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += x[row * k + i]! * w[column * k + i]!;
      out[row * n + column] = sum;
    }
  }
  return out;
}

/**
 * Rotates the pairs of every head: x [rows, heads, headDim], angles [rows, headDim] from `ropeAngles`.
 * @param style halves: pairs (i, i + headDim / 2); interleaved: pairs (2i, 2i + 1)
 */
export function rope(
  x: Float64Array,
  angles: Float64Array,
  heads: number,
  headDim: number,
  style: 'halves' | 'interleaved',
): Float64Array {
  const half = headDim / 2;
  const out = new Float64Array(x.length);
  for (let head = 0; head < x.length / headDim; head++) {
    const row = Math.floor(head / heads);
    for (let i = 0; i < half; i++) {
      const a = head * headDim + (style === 'halves' ? i : 2 * i);
      const b = style === 'halves' ? a + half : a + 1;
      const cos = angles[row * headDim + i]!;
      const sin = angles[row * headDim + half + i]!;
      out[a] = x[a]! * cos - x[b]! * sin;
      out[b] = x[b]! * cos + x[a]! * sin;
    }
  }
  return out;
}

export interface SdpaShape {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
}

/**
 * out [numHeads, headDim] = softmax(q k^T * scale) v for one row.
 * q [numHeads, headDim], k and v [positions, numKvHeads, headDim]: only the positions the row may see.
 */
export function sdpa(
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  shape: SdpaShape,
  scale: number,
): Float64Array {
  const { numHeads, numKvHeads, headDim } = shape;
  const kvWidth = numKvHeads * headDim;
  const gqaFactor = numHeads / numKvHeads;
  const scores = new Float64Array(k.length / kvWidth);
  const out = new Float64Array(numHeads * headDim);
  for (let head = 0; head < numHeads; head++) {
    const kvHead = Math.floor(head / gqaFactor) * headDim;
    for (let t = 0; t < scores.length; t++) {
      let dot = 0;
      for (let i = 0; i < headDim; i++) {
        dot += q[head * headDim + i]! * k[t * kvWidth + kvHead + i]!;
      }
      scores[t] = dot * scale;
    }
    const weights = softmax(scores);
    for (let t = 0; t < weights.length; t++) {
      for (let i = 0; i < headDim; i++) {
        out[head * headDim + i]! += weights[t]! * v[t * kvWidth + kvHead + i]!;
      }
    }
  }
  return out;
}

/** out = x + y, element by element */
export function add(x: Float64Array, y: Float64Array): Float64Array {
  return x.map((value, i) => value + y[i]!);
}

/** out = silu(gate) * up, silu(z) = z / (1 + exp(-z)) */
export function siluMul(gate: Float64Array, up: Float64Array): Float64Array {
  return gate.map((z, i) => (z / (1 + Math.exp(-z))) * up[i]!);
}

/** Probabilities of one row of scores; the largest is subtracted first, so exp never overflows. */
export function softmax(scores: ArrayLike<number>, temperature = 1): Float64Array {
  const x = Float64Array.from(scores);
  const max = x.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exps = x.map((value) => Math.exp((value - max) / temperature));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((value) => value / sum);
}
