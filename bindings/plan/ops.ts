// The model as a list of ops over named buffers of float32 rows. A buffer is [rows, width]; a step has up
// to `rowsPerStep` rows, and every row knows its own token, position and KV pages, so no op assumes that
// row i + 1 is position i + 1. Ops name weights, never addresses: each executor packs its own.

import type { RopeSpec } from '../model/config.js';

/** x = rows of the embedding table, by token. */
export interface EmbedOp {
  readonly kind: 'embed';
  readonly out: string;
  readonly weight: string;
}

/** out = cos and sin of position * frequency: [cos 0 .. d/2-1, sin 0 .. d/2-1] per row. */
export interface RopeAnglesOp {
  readonly kind: 'ropeAngles';
  readonly out: string;
}

/** out = x / sqrt(mean(x^2) + eps) * weight */
export interface RmsNormOp {
  readonly kind: 'rmsNorm';
  readonly out: string;
  readonly x: string;
  readonly weight: string;
  readonly eps: number;
}

/** out = x @ W^T, W [n, k]. The weight's path is also the name of the op's adapter slot. */
export interface MatmulOp {
  readonly kind: 'matmul';
  readonly out: string;
  readonly x: string;
  readonly weight: string;
}

/** Rotates the pairs of every head of x, in place. */
export interface RopeOp {
  readonly kind: 'rope';
  readonly x: string;
  readonly angles: string;
  readonly heads: number;
}

/** Writes the row's k and v into its KV pages at its position. */
export interface KvUpdateOp {
  readonly kind: 'kvUpdate';
  readonly layer: number;
  readonly k: string;
  readonly v: string;
}

/** out = softmax(q K^T * scale) V over the row's pages, positions (position - window, position]. */
export interface SdpaOp {
  readonly kind: 'sdpa';
  readonly out: string;
  readonly q: string;
  readonly layer: number;
  readonly scale: number;
  /** 0: the whole context. */
  readonly window: number;
}

/** out += x */
export interface AddOp {
  readonly kind: 'add';
  readonly out: string;
  readonly x: string;
}

/** out = silu(gate) * up, silu(z) = z / (1 + exp(-z)) */
export interface SiluMulOp {
  readonly kind: 'siluMul';
  readonly out: string;
  readonly gate: string;
  readonly up: string;
}

/** out = the rows of x whose logits are wanted, in order; all later ops run on those rows only. */
export interface SelectRowsOp {
  readonly kind: 'selectRows';
  readonly out: string;
  readonly x: string;
}

export type Op =
  | EmbedOp
  | RopeAnglesOp
  | RmsNormOp
  | MatmulOp
  | RopeOp
  | KvUpdateOp
  | SdpaOp
  | AddOp
  | SiluMulOp
  | SelectRowsOp;

/** Ops that run in one memory. Between segments only the residual stream moves. */
export interface Segment {
  readonly ops: readonly Op[];
}

export interface Plan {
  readonly segments: readonly Segment[];
  /** Width in float32 of each buffer the ops name. */
  readonly buffers: ReadonlyMap<string, number>;
  /** Expected shape of each weight the ops name. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  /** Positions the model was made for: the largest context. */
  readonly contextLength: number;
  readonly rope: RopeSpec;
  /** Buffer that holds the result of a step. */
  readonly outputs: { readonly logits: string };
}
