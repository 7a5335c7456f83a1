import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Op } from '../../bindings/plan/ops.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { tinyConfig } from '../support/tiny_model.js';

function opNames(ops: readonly Op[]): string[] {
  return ops.map((op) => ('weight' in op ? `${op.kind} ${op.weight}` : op.kind));
}

test('one layer runs in the order of the architecture', () => {
  const plan = planFor({ ...tinyConfig(), numLayers: 1 });
  const l = 'model.layers.0';
  assert.equal(opNames(plan.segments[0]!.ops), [
    'embed model.embed_tokens',
    'ropeAngles',
    `rmsNorm ${l}.input_layernorm`,
    `matmul ${l}.self_attn.q_proj`,
    `matmul ${l}.self_attn.k_proj`,
    `matmul ${l}.self_attn.v_proj`,
    'rope',
    'rope',
    'kvUpdate',
    'sdpa',
    `matmul ${l}.self_attn.o_proj`,
    'add',
    `rmsNorm ${l}.post_attention_layernorm`,
    `matmul ${l}.mlp.gate_proj`,
    `matmul ${l}.mlp.up_proj`,
    'siluMul',
    `matmul ${l}.mlp.down_proj`,
    'add',
    'selectRows',
    'rmsNorm model.norm',
    'matmul model.embed_tokens',
  ]);
});

test('weights have their shapes, the head its own when it is not tied', () => {
  const config = { ...tinyConfig(), tiedEmbeddings: false };
  const { weights } = planFor(config);
  const kv = config.numKvHeads * config.headDim;
  assert.equal(weights.get('lm_head'), [config.vocabSize, config.hiddenSize]);
  assert.equal(weights.get('model.norm'), [config.hiddenSize]);
  assert.equal(weights.get('model.layers.1.self_attn.k_proj'), [kv, config.hiddenSize]);
  assert.equal(weights.get('model.layers.1.mlp.down_proj'), [
    config.hiddenSize,
    config.intermediateSize,
  ]);
  assert.is(weights.size, 3 + 9 * config.numLayers);
  assert.is(planFor({ ...config, tiedEmbeddings: true }).weights.has('lm_head'), false);
});

test('every buffer an op names is declared', () => {
  const plan = planFor(tinyConfig());
  for (const op of plan.segments[0]!.ops) {
    for (const field of ['out', 'x', 'q', 'k', 'v', 'gate', 'up', 'angles'] as const) {
      const name = (op as unknown as Record<string, unknown>)[field];
      if (typeof name === 'string') assert.ok(plan.buffers.has(name), `${op.kind} ${name}`);
    }
  }
});

test.run();
