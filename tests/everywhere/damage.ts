// Files that do not mean what they say are refused by name.

import { loadModel } from 'halfbyte';
import * as assert from 'uvu/assert';
import { test } from './support/collect.js';
import { rejects } from './support/fixtures.js';
import { fileBytes, type ModelFile, modelBytes, modelFile } from './support/models.js';

const DOWN = 'model.layers.1.mlp.down_proj.weight';

function changed(change: (file: ModelFile) => void): Uint8Array {
  const file = modelFile('float');
  change(file);
  return fileBytes(file);
}

test('no safetensors file', async () => {
  await rejects(() => loadModel(new Uint8Array(0)), 'FORMAT');
  await rejects(() => loadModel(new Uint8Array(100).fill(0x41)), 'FORMAT');
  const half = modelBytes('int4').slice(0, modelBytes('int4').length / 2);
  await rejects(() => loadModel(half), 'FORMAT');
});

test('a tensor that is missing, misshapen or not finite', async () => {
  const missing = changed(({ tensors }) => tensors.splice(at(tensors), 1));
  await rejects(() => loadModel(missing), 'FORMAT', 'model.layers.1.mlp.down_proj');
  const misshapen = changed(({ tensors }) => {
    const i = at(tensors);
    tensors[i] = { ...tensors[i]!, shape: [172, 64] };
  });
  await rejects(() => loadModel(misshapen), 'SHAPE', 'model.layers.1.mlp.down_proj', '172', '64');
  const infinite = changed(({ tensors }) => {
    const { bytes } = tensors[at(tensors)]!;
    new DataView(bytes.buffer, bytes.byteOffset).setFloat32(4 * 172 * 3, Number.NaN, true);
  });
  await rejects(() => loadModel(infinite, { threads: 1 }), 'FORMAT', DOWN, '3');
});

test('a config that is not understood', async () => {
  const other = changed(({ config }) => {
    config['architectures'] = ['MambaForCausalLM'];
    config['model_type'] = 'mamba';
  });
  await rejects(() => loadModel(other), 'UNSUPPORTED', 'amba');
  const negative = changed(({ config }) => {
    config['hidden_size'] = -64;
  });
  await rejects(() => loadModel(negative), 'FORMAT', 'hidden_size', '-64');
});

function at(tensors: ModelFile['tensors']): number {
  const index = tensors.findIndex(({ name }) => name === DOWN);
  assert.ok(index >= 0);
  return index;
}
