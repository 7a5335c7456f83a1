// A model whose matmuls take floats gives the logits of its decoded weights as a float model, bit for bit; and what
// no table of floats holds is refused by name.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WasmExecutor } from '../../bindings/executor/wasm/executor.js';
import { formatName } from '../../bindings/formats/codecs.js';
import { f32ToF16 } from '../../bindings/formats/float16.js';
import { takesFloats } from '../../bindings/formats/format.js';
import { inspectModel, loadModel } from '../../bindings/index.js';
import { type Checkpoint, openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import type { Weight } from '../../bindings/model/weight.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { fileBytes, modelFile } from '../everywhere/support/models.js';
import { PACKED_FORMATS } from '../support/formats.js';
import { raises } from '../support/raises.js';
import { StepSession } from '../support/step_session.js';
import { floatWeight } from '../support/tiny_model.js';

const TOKENS = [5, 17, 250, 9, 9, 120];
const DOWN = 'model.layers.1.mlp.down_proj';

async function logitsOf(checkpoint: Checkpoint): Promise<Float32Array[]> {
  const plan = planFor(checkpoint.config);
  const executor = await WasmExecutor.create(plan, checkpoint, { threads: 1, kvType: 'f32' });
  await new StepSession(executor).step(TOKENS);
  const logits = TOKENS.map((_, i) => executor.logits(i).slice());
  await executor.dispose();
  return logits;
}

async function decoded(checkpoint: Checkpoint): Promise<Checkpoint> {
  const weights = new Map<string, Weight>();
  for (const [path, weight] of checkpoint.weights) {
    const values = Float32Array.from(await readRows(weight, 0, weight.shape[0]!));
    weights.set(path, floatWeight(path, weight.shape, values));
  }
  return { ...checkpoint, weights };
}

// Outliers are summed apart from the rest of their row.
for (const format of PACKED_FORMATS.filter((one) => takesFloats(one) && !one.outliers)) {
  const name = formatName(format);
  test(`${name}: the logits of its decoded weights, memory as predicted`, async () => {
    const bytes = fileBytes(modelFile(name));
    const checkpoint = await openCheckpoint(bytes);
    assert.is(formatName(checkpoint.weights.get(DOWN)!.format), name);
    const floats = await logitsOf(await decoded(checkpoint));
    for (const [i, logits] of (await logitsOf(checkpoint)).entries()) {
      const at = logits.findIndex((logit, token) => !Object.is(logit, floats[i]![token]));
      assert.is(at, -1, `row ${i}, logit ${at}`);
    }
    const { residentBytes } = await inspectModel(bytes, { threads: 1 });
    const model = await loadModel(bytes, { threads: 1 });
    assert.equal(residentBytes, model.memory);
    await model.dispose();
  });
}

test('entries that are no finite numbers are refused by table', async () => {
  for (const [name, bits] of [
    ['palettize4-float16-unscaled', 16],
    ['palettize4-tensor-float32-b64', 32],
  ] as const) {
    const file = modelFile(name);
    const lut = file.tensors.find((tensor) => tensor.name === `${DOWN}.lut`)!;
    const table = lut.shape[0]! - 1;
    const at = ((table * 16 + 5) * bits) / 8;
    const view = new DataView(lut.bytes.buffer, lut.bytes.byteOffset);
    for (const wrong of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      if (bits === 32) view.setFloat32(at, wrong, true);
      else view.setUint16(at, f32ToF16(wrong), true);
      const parts = [`${DOWN}.lut`, `table ${table}`, `entry ${wrong}`, 'finite'];
      await raises(() => loadModel(fileBytes(file)), 'FORMAT', parts);
    }
  }
});

test.run();
