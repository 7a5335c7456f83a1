// What a traced step reports: which ops ran, how long each took, and how many bytes it had to move.

/** One op of a step. */
export interface OpTrace {
  /** As its kernel is called: `matmul`, `sdpa`, `rms_norm`. */
  readonly kind: string;
  /** The kind and what it works on: `matmul model.layers.3.mlp.down_proj.weight`, `sdpa layer 3`. */
  readonly name: string;
  /** Rows it ran on. */
  readonly m: number;
  /** Output features, input features; null for an op that has none. */
  readonly n: number | null;
  readonly k: number | null;
  /** Of the weight, or of the KV cache: `int4`, `f16`; null for an op on activations only. */
  readonly format: string | null;
  /** Milliseconds of `performance.now()`, on the thread that runs the steps. */
  readonly startMs: number;
  readonly ms: number;
  /** Weights, KV cache and activations, read and written; each counted once, but keys and values for every row. */
  readonly bytes: number;
}

/** One step: the rows that ran together through all ops of the model. */
export interface StepTrace {
  /** decode: a step of one row; prefill: of more. */
  readonly phase: 'prefill' | 'decode';
  /** Position of each row in its context. */
  readonly positions: readonly number[];
  /** Rows whose logits were computed. */
  readonly logitRows: number;
  /** The model's. With `threads: 'auto'` all but one of them start only when there is work for them. */
  readonly threads: number;
  /** As those of the ops, which follow one another without gaps. */
  readonly startMs: number;
  readonly ms: number;
  readonly ops: readonly OpTrace[];
}

export type OnTrace = (step: StepTrace) => void;

/** GB (10^9 bytes) per second; null if the clock did not advance. */
export function gbPerSecond(bytes: number, ms: number): number | null {
  return ms > 0 ? bytes / ms / 1e6 : null;
}
