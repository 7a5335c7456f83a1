// What is given as a core and is none, and places where nothing may be compiled: errors by name.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CoreSource } from '../../bindings/executor/wasm/core_source.js';
import { type CoreOptions, loadModel, reportRuntime } from '../../bindings/index.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ folder: string; model: string }>('core source');
const { compile } = WebAssembly;

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'halfbyte-core-'));
  context.model = await writeTinyLlama(join(context.folder, 'model'));
});

test.after.each(async ({ folder }) => {
  WebAssembly.compile = compile;
  await rm(folder, { recursive: true, force: true });
});

function wasm(...sections: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections);
}

const name = (text: string) => [text.length, ...new TextEncoder().encode(text)];
/** (import "env" "memory" (memory 1)) */
const IMPORTS_MEMORY = wasm(2, 15, 1, ...name('env'), ...name('memory'), 2, 0, 1);
/** (import "env" "abort" (func)) */
const IMPORTS_FUNCTION = wasm(
  1,
  4,
  1,
  0x60,
  0,
  0,
  2,
  13,
  1,
  ...name('env'),
  ...name('abort'),
  0,
  0,
);

test('garbage as a core', async ({ model, folder }) => {
  const text = join(folder, 'core.wasm');
  await writeFile(text, '<!doctype html><title>Not found</title>');
  const shared = await readFile(new URL('../../core.simd.shared.wasm', import.meta.url));
  const cases: readonly (readonly [CoreSource, ...string[]])[] = [
    [new Uint8Array(0), 'cannot be compiled'],
    [new TextEncoder().encode('no core'), 'cannot be compiled'],
    [text, 'cannot be compiled'],
    [shared.subarray(0, 5000), 'cannot be compiled'],
    [wasm(), 'expected one import, memory env.memory, came none'],
    [IMPORTS_FUNCTION, 'came function env.abort'],
    [IMPORTS_MEMORY, 'does not export pow64', 'run_plan'],
    [shared, 'cannot be started'],
    [null as unknown as string, 'came null'],
    [7 as unknown as string, 'came 7'],
  ];
  for (const [source, ...parts] of cases) {
    await raises(() => loadModel(model, { core: { wasm: source } }), 'OPTION', [
      'core.wasm',
      ...parts,
    ]);
  }
  await raises(() => loadModel(model, { core: { wasm: {} } }), 'OPTION', ['core.wasm', 'simd']);
});

test('a core that is not there', async ({ model, folder }) => {
  const core = { wasm: join(folder, 'none.wasm') };
  await raises(() => loadModel(model, { core }), 'SOURCE', ['none.wasm']);
});

test('where nothing may be compiled', async ({ model }) => {
  WebAssembly.compile = () => {
    return Promise.reject(new WebAssembly.CompileError('Wasm code generation disallowed'));
  };
  const given: CoreOptions = { wasm: wasm() };
  await raises(() => loadModel(model, { core: given }), 'UNSUPPORTED', ['wasm-unsafe-eval']);
  // The cores of the package, which may have been compiled already in this process.
  const { builds } = await reportRuntime();
  assert.match(builds.simd ?? '', /content security policy/);
});

test.run();
