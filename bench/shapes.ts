// Shapes of real models, as their config.json has them.

export interface ModelShape {
  readonly name: string;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocab: number;
}

export const MODEL_SHAPES: readonly ModelShape[] = [
  {
    name: '135M', // SmolLM2-135M
    hidden: 576,
    intermediate: 1536,
    heads: 9,
    kvHeads: 3,
    headDim: 64,
    vocab: 49152,
  },
  {
    name: '1.1B', // TinyLlama-1.1B
    hidden: 2048,
    intermediate: 5632,
    heads: 32,
    kvHeads: 4,
    headDim: 64,
    vocab: 32000,
  },
  {
    name: '7B', // Llama-2-7B
    hidden: 4096,
    intermediate: 11008,
    heads: 32,
    kvHeads: 32,
    headDim: 128,
    vocab: 32000,
  },
];
