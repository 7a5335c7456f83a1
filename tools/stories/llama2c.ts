// Checkpoints of llama2.c, in its first format:
//
//   | 7 x i32: dim, hidden, layers, heads, kv heads, vocabulary (negative: own classifier), context |
//   | f32 tensors, each kind stacked over the layers, in the order of `readCheckpoint`              |
//
// and its vocabularies: | i32 longest piece | then a piece after the other: f32 score, i32 length, bytes |

import { FormatError } from '../../bindings/errors.js';

const HEADER_FIELDS = 7;
const F32_BYTES = 4;

export interface Llama2cConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly tiedEmbeddings: boolean;
}

export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Piece {
  readonly text: string;
  readonly score: number;
}

/**
 * Config and tensors under their Hugging Face names; query and key rows are in the order of pairs (i, i + d/2).
 * @throws FormatError if `bytes` is not as long as its header says
 */
export function readCheckpoint(bytes: Uint8Array): {
  config: Llama2cConfig;
  tensors: ReadonlyMap<string, Tensor>;
} {
  const config = readConfig(bytes);
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, vocabSize, contextLength } = config;
  const headDim = hiddenSize / numHeads;
  const kvWidth = numKvHeads * headDim;
  const tensors = new Map<string, Tensor>();
  let offset = HEADER_FIELDS * F32_BYTES;

  const take = (...shape: number[]): Tensor => {
    const length = shape.reduce((product, n) => product * n, 1);
    const end = offset + length * F32_BYTES;
    if (end > bytes.length)
      throw new FormatError(`[llama2.c] ${bytes.length} bytes, expected ${end}`);
    const values = new Float32Array(new Uint8Array(bytes.subarray(offset, end)).buffer);
    offset = end;
    return { shape, values };
  };
  const takeLayers = (name: string, shape: number[], change = (tensor: Tensor) => tensor) => {
    for (let layer = 0; layer < config.numLayers; layer++) {
      tensors.set(`model.layers.${layer}.${name}.weight`, change(take(...shape)));
    }
  };

  tensors.set('model.embed_tokens.weight', take(vocabSize, hiddenSize));
  takeLayers('input_layernorm', [hiddenSize]);
  takeLayers('self_attn.q_proj', [hiddenSize, hiddenSize], (q) => halvesRows(q, headDim));
  takeLayers('self_attn.k_proj', [kvWidth, hiddenSize], (k) => halvesRows(k, headDim));
  takeLayers('self_attn.v_proj', [kvWidth, hiddenSize]);
  takeLayers('self_attn.o_proj', [hiddenSize, hiddenSize]);
  takeLayers('post_attention_layernorm', [hiddenSize]);
  takeLayers('mlp.gate_proj', [intermediateSize, hiddenSize]);
  takeLayers('mlp.down_proj', [hiddenSize, intermediateSize]);
  takeLayers('mlp.up_proj', [intermediateSize, hiddenSize]);
  tensors.set('model.norm.weight', take(hiddenSize));
  take(contextLength, headDim); // cos and sin of the rope angles, which are computed anew
  if (!config.tiedEmbeddings) tensors.set('lm_head.weight', take(vocabSize, hiddenSize));
  if (offset !== bytes.length) {
    throw new FormatError(`[llama2.c] ${bytes.length} bytes, expected ${offset}`);
  }
  return { config, tensors };
}

/**
 * The `size` pieces of a vocabulary, by id.
 * @throws FormatError if `bytes` is not exactly as long
 */
export function readVocabulary(bytes: Uint8Array, size: number): Piece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const pieces: Piece[] = [];
  let offset = 4;
  while (pieces.length < size && offset + 8 <= bytes.length) {
    const score = view.getFloat32(offset, true);
    const end = offset + 8 + view.getInt32(offset + 4, true);
    pieces.push({ text: decoder.decode(bytes.subarray(offset + 8, end)), score });
    offset = end;
  }
  if (pieces.length !== size || offset !== bytes.length) {
    const came = `${pieces.length} pieces in ${offset} of ${bytes.length} bytes`;
    throw new FormatError(`[llama2.c] vocabulary: ${came}, expected ${size}`);
  }
  return pieces;
}

function readConfig(bytes: Uint8Array): Llama2cConfig {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (i: number) => view.getInt32(i * F32_BYTES, true);
  return {
    hiddenSize: field(0),
    intermediateSize: field(1),
    numLayers: field(2),
    numHeads: field(3),
    numKvHeads: field(4),
    vocabSize: Math.abs(field(5)),
    contextLength: field(6),
    tiedEmbeddings: field(5) > 0,
  };
}

/** Rows of each head from pairs (2i, 2i + 1) to pairs (i, i + headDim / 2). */
function halvesRows({ shape, values }: Tensor, headDim: number): Tensor {
  const [rows, k] = shape as [number, number];
  const reordered = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const d = row % headDim;
    const to = row - d + (d >> 1) + (d % 2) * (headDim / 2);
    reordered.set(values.subarray(row * k, (row + 1) * k), to * k);
  }
  return { shape, values: reordered };
}
