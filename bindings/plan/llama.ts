// Llama (and what has its architecture: TinyLlama, SmolLM, MiniMind, stories), top to bottom.

import type { ModelConfig } from '../model/config.js';
import { PlanBuilder } from './builder.js';
import type { Plan } from './ops.js';

/** The plan of a Llama. Weights keep their Hugging Face paths, without `.weight`. */
export function planLlama(config: ModelConfig): Plan {
  const p = new PlanBuilder(config, llamaBuffers(config));
  p.embed('x', 'model.embed_tokens');
  p.ropeAngles('angles');
  for (let layer = 0; layer < config.numLayers; layer++) planLayer(p, layer);
  p.selectRows('selected', 'x');
  p.rmsNorm('final', 'selected', 'model.norm');
  p.matmul('logits', 'final', config.tiedEmbeddings ? 'model.embed_tokens' : 'lm_head');
  return p.build('logits');
}

/** Appends one decoder layer. */
function planLayer(p: PlanBuilder, layer: number): void {
  const path = `model.layers.${layer}`;
  p.rmsNorm('h', 'x', `${path}.input_layernorm`);
  p.matmul('q', 'h', `${path}.self_attn.q_proj`);
  p.matmul('k', 'h', `${path}.self_attn.k_proj`);
  p.matmul('v', 'h', `${path}.self_attn.v_proj`);
  p.rope('q', 'angles');
  p.rope('k', 'angles');
  p.kvUpdate(layer, 'k', 'v');
  p.sdpa('attention', 'q', layer);
  p.matmul('h', 'attention', `${path}.self_attn.o_proj`);
  p.add('x', 'h');

  p.rmsNorm('h', 'x', `${path}.post_attention_layernorm`);
  p.matmul('gate', 'h', `${path}.mlp.gate_proj`);
  p.matmul('up', 'h', `${path}.mlp.up_proj`);
  p.siluMul('gate', 'gate', 'up');
  p.matmul('h', 'gate', `${path}.mlp.down_proj`);
  p.add('x', 'h');
}

/** Width of every buffer, in float32. `x` is the residual stream. */
function llamaBuffers(config: ModelConfig): Record<string, number> {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim, vocabSize } = config;
  return {
    x: hiddenSize,
    h: hiddenSize,
    angles: headDim,
    q: numHeads * headDim,
    k: numKvHeads * headDim,
    v: numKvHeads * headDim,
    attention: numHeads * headDim,
    gate: intermediateSize,
    up: intermediateSize,
    selected: hiddenSize,
    final: hiddenSize,
    logits: vocabSize,
  };
}
