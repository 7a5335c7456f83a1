// What a traced step tells, and that one without a trace does not look at the clock.
// That results are the same bits is in tests/identical.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PACKED_BYTES } from '../../assembly/op_layout.js';
import { WasmExecutor } from '../../bindings/executor/wasm/executor.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import type { OnTrace, StepTrace } from '../../bindings/trace/step_trace.js';
import { StepSession } from '../support/step_session.js';
import { tinyCheckpoint, tinyConfig } from '../support/tiny_model.js';

const test = suite('trace');
const now = performance.now;
test.after.each(() => {
  performance.now = now;
});

const LAYER = [
  'rms_norm model.layers.1.input_layernorm.weight',
  'matmul model.layers.1.self_attn.q_proj.weight',
  'matmul model.layers.1.self_attn.k_proj.weight',
  'matmul model.layers.1.self_attn.v_proj.weight',
  'rope',
  'rope',
  'kv_update layer 1',
  'sdpa layer 1',
  'matmul model.layers.1.self_attn.o_proj.weight',
  'add',
  'rms_norm model.layers.1.post_attention_layernorm.weight',
  'matmul model.layers.1.mlp.gate_proj.weight',
  'matmul model.layers.1.mlp.up_proj.weight',
  'silu_mul',
  'matmul model.layers.1.mlp.down_proj.weight',
  'add',
];
const END = ['select_rows', 'rms_norm model.norm.weight', 'matmul model.embed_tokens.weight'];

async function run(
  threads: number,
  onTrace: OnTrace | undefined,
  work: (s: StepSession) => Promise<void>,
) {
  const options = { threads, kvType: 'f16', onTrace } as const;
  const plan = planFor(tinyConfig());
  const executor = await WasmExecutor.create(plan, tinyCheckpoint(3), options);
  try {
    await work(new StepSession(executor));
  } finally {
    await executor.dispose();
  }
}

async function traced(threads: number): Promise<StepTrace[]> {
  const steps: StepTrace[] = [];
  await run(
    threads,
    (step) => steps.push(step),
    async (session) => {
      await session.prefill([5, 6, 7, 8, 9], 3);
      await session.prefill([10], 1);
      await session.step([11, 12]);
    },
  );
  return steps;
}

for (const threads of [1, 2]) {
  test(`steps, their rows and ops, ${threads} threads`, async () => {
    const steps = await traced(threads);
    const told = steps.map(({ phase, positions, logitRows }) => [phase, positions, logitRows]);
    assert.equal(told, [
      ['prefill', [0, 1, 2], 0],
      ['prefill', [3, 4], 1],
      ['decode', [5], 1],
      ['prefill', [6, 7], 2],
    ]);
    for (const { ops, threads: used } of steps) {
      assert.is(used, threads);
      const names = ops.map(({ name }) => name);
      assert.is(names[0], 'embed model.embed_tokens.weight');
      assert.is(names[1], 'rope_angles');
      assert.is(names.length, 2 + 2 * LAYER.length + END.length);
      assert.equal(names.slice(-LAYER.length - END.length), [...LAYER, ...END]);
    }
  });
}

test('ops follow one another and fill the step', async () => {
  for (const { startMs, ms, ops } of await traced(1)) {
    assert.ok(ms > 0);
    assert.is(ops[0]?.startMs, startMs);
    for (const [i, op] of ops.entries()) {
      assert.ok(op.ms >= 0);
      const end = ops[i + 1]?.startMs ?? startMs + ms;
      assert.ok(Math.abs(op.startMs + op.ms - end) < 1e-6, op.name);
    }
    const sum = ops.reduce((total, op) => total + op.ms, 0);
    assert.ok(Math.abs(sum - ms) < 1e-6, `${sum} and ${ms}`);
  }
});

test('shapes, formats and bytes', async () => {
  const [prefill, , decode] = await traced(1);
  const find = (step: StepTrace | undefined, name: string) => {
    const op = step?.ops.find((one) => one.name.endsWith(name));
    assert.ok(op, name);
    const { kind, m, n, k, format, bytes } = op;
    return { kind, m, n, k, format, bytes };
  };
  const matmul = { kind: 'matmul', n: 32, k: 44, format: 'f32' };
  const weight = PACKED_BYTES + 32 * 44 * 4;
  assert.equal(find(prefill, '0.mlp.down_proj.weight'), {
    ...matmul,
    m: 3,
    bytes: weight + 3 * (32 + 44) * 4,
  });
  assert.equal(find(decode, '0.mlp.down_proj.weight'), {
    ...matmul,
    m: 1,
    bytes: weight + (32 + 44) * 4,
  });
  const sdpa = { kind: 'sdpa', n: null, k: null, format: 'f16' };
  const position = 2 * 2 * 8 * 2;
  const rows = 2 * 4 * 8 * 4;
  const seen = (1 + 2 + 3) * position;
  assert.equal(find(prefill, 'sdpa layer 1'), { ...sdpa, m: 3, bytes: seen + 3 * rows });
  assert.equal(find(decode, 'sdpa layer 0'), { ...sdpa, m: 1, bytes: 6 * position + rows });
  const head = prefill?.ops.at(-1);
  assert.equal([head?.m, head?.bytes], [0, 0], 'no row of this step wants logits');
});

test('the clock is read once an op, and not at all without a trace', async () => {
  let reads = 0;
  performance.now = () => {
    reads++;
    return now.call(performance);
  };
  const work = async (session: StepSession) => {
    reads = 0;
    await session.prefill([5, 6, 7], 3);
  };
  await run(1, undefined, work);
  assert.is(reads, 0);
  let ops = 0;
  await run(
    1,
    (step) => {
      ops = step.ops.length;
    },
    work,
  );
  assert.is(reads, ops + 1);
});

test.run();
