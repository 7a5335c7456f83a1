// What is loaded, what it takes, and what it runs on.

import { at, element } from './elements.js';

/** @param {string | null} name null: no model */
export function showModel(name, chat) {
  at('model-name').textContent = name ?? 'No model yet';
  at('model-kind').textContent = kindOf(name, chat);
}

function kindOf(name, chat) {
  if (name === null) return 'Drop a .safetensors file or a folder here';
  if (chat.remembers) return 'A chat model: it knows what was said before';
  return 'Continues what you write, each text anew';
}

export function showLoading(isLoading) {
  at('loading').hidden = !isLoading;
  at('progress').removeAttribute('value');
  at('loaded').textContent = '';
}

export function showProgress({ stage, done, total }) {
  if (stage !== 'weights') return;
  at('progress').value = total > 0 ? done / total : 1;
  at('loaded').textContent = `${megabytes(done)} of ${megabytes(total)} MB`;
}

export function showMemory(model) {
  at('memory').parentElement.hidden = model === null;
  if (model === null) return;
  const { weights, arena } = model.memory;
  const kv = model.kvBytesInUse;
  const parts = `${megabytes(weights)} weights, ${megabytes(arena)} arena, ${megabytes(kv)} KV cache`;
  at('memory').textContent = `${megabytes(weights + arena + kv)} MB: ${parts}`;
}

export function showRuntime({ device, threads, simd, refusals }) {
  const count = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  at('device').textContent = `${device}, ${count}, ${simd} SIMD`;
  at('refusals').hidden = refusals.length === 0;
  at('reasons').replaceChildren(
    ...refusals.map((reason) => element('li', { textContent: reason })),
  );
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
