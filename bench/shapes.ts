// Shapes of real models, as their config.json has them.

export interface ModelShape {
  readonly name: string;
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocab: number;
  readonly context: number;
  readonly ropeTheta: number;
  /** The embedding is the head too. */
  readonly tied: boolean;
}

export const MODEL_SHAPES: readonly ModelShape[] = [
  {
    name: '135M', // SmolLM2-135M
    layers: 30,
    hidden: 576,
    intermediate: 1536,
    heads: 9,
    kvHeads: 3,
    headDim: 64,
    vocab: 49152,
    context: 8192,
    ropeTheta: 100000,
    tied: true,
  },
  {
    name: '1.1B', // TinyLlama-1.1B
    layers: 22,
    hidden: 2048,
    intermediate: 5632,
    heads: 32,
    kvHeads: 4,
    headDim: 64,
    vocab: 32000,
    context: 2048,
    ropeTheta: 10000,
    tied: false,
  },
  {
    name: '7B', // Llama-2-7B
    layers: 32,
    hidden: 4096,
    intermediate: 11008,
    heads: 32,
    kvHeads: 32,
    headDim: 128,
    vocab: 32000,
    context: 4096,
    ropeTheta: 10000,
    tied: false,
  },
];
