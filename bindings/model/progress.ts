/** How far a long piece of work is. */
export interface Progress {
  readonly stage: 'open' | 'weights' | 'prefill' | 'compress' | 'decompress' | 'eval';
  /** In the stage's unit: bytes of weights, tokens of a prompt. */
  readonly done: number;
  readonly total: number;
}
