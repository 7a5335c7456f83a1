// What must hold of every release core, whatever its kernels compute.

import { readFile } from 'node:fs/promises';
import binaryen from 'binaryen';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCore } from '#platform';
import { relaxedSimdRefusal } from '../../bindings/executor/features.js';

const RELEASE_CORES = [
  'core.simd',
  'core.simd.shared',
  'core.relaxed',
  'core.relaxed.shared',
] as const;

/** asconfig.json's memoryBase: below it nothing of the core's, above it what it keeps in memory. */
const MEMORY_BASE = 1024;
/** layout.ts: what JavaScript places begins here. */
const FIRST_ADDRESS = 4096;

/** The module as text, one string a top-level form. */
async function topLevelForms(core: string): Promise<string[]> {
  const bytes = await readFile(new URL(`../../${core}.wasm`, import.meta.url));
  const module = binaryen.readBinary(new Uint8Array(bytes));
  const text = module.emitText();
  module.dispose();
  return text.split(/\n (?=\()/).slice(1);
}

/** Texts of the loops that hold no other loop. */
function innermostLoops(form: string): string[] {
  const loops: string[] = [];
  for (const { index } of form.matchAll(/\(loop\b/g)) {
    let depth = 0;
    let end = index;
    do {
      if (form[end] === '(') depth++;
      else if (form[end] === ')') depth--;
      end++;
    } while (depth > 0);
    const loop = form.slice(index, end);
    if (!loop.includes('(loop', 1)) loops.push(loop);
  }
  return loops;
}

for (const core of RELEASE_CORES) {
  test(`${core}: one memory in, functions out, nothing runs at the start`, async () => {
    const forms = await topLevelForms(core);
    const imports = forms.filter((form) => form.startsWith('(import'));
    assert.is(imports.length, 1);
    assert.match(imports[0]!, /^\(import "env" "memory" \(memory /);
    assert.is(imports[0]!.includes('shared'), core.endsWith('.shared'));
    assert.is(forms.filter((form) => form.startsWith('(start')).length, 0);
    // A worker's instantiation resets statics: there are none to change.
    const mutable = forms.filter((form) => /^\(global .*\(mut /.test(form));
    assert.equal(mutable, []);
  });

  test(`${core}: memory holds constants of vectors and no text`, async () => {
    const forms = await topLevelForms(core);
    const data = forms.filter((form) => form.startsWith('(data'));
    for (const segment of data) {
      const [, address, bytes] = /\(i32\.const (\d+)\) "(.*)"/.exec(segment) ?? [];
      assert.ok(bytes !== undefined, segment);
      const length = bytes.replace(/\\[0-9a-f]{2}|\\./g, '.').length;
      assert.is(length % 16, 0, segment);
      assert.not.match(bytes.replace(/\\[0-9a-f]{2}|\\./g, ' '), /[A-Za-z]{4}/, segment);
      assert.ok(
        Number(address) >= MEMORY_BASE && Number(address) + length <= FIRST_ADDRESS,
        segment,
      );
    }
  });

  test(`${core}: the loops of dot products call nothing`, async () => {
    const loops = (await topLevelForms(core)).flatMap(innermostLoops);
    const hot = loops.filter((loop) => /load32_splat|dot_i16x8_s|dot_i8x16_i7x16_s/.test(loop));
    // Float, q4, q8 and lut4 matmuls and attention, each for three number types.
    assert.ok(hot.length >= 20, `found only ${hot.length} loops`);
    for (const loop of hot) assert.not.match(loop, /\(call/);
  });
}

test('the module of the fits: one memory in, no state, no relaxed instructions', async () => {
  const forms = await topLevelForms('fit');
  assert.is(forms.filter((form) => form.startsWith('(import')).length, 1);
  assert.is(forms.filter((form) => form.startsWith('(start')).length, 0);
  assert.equal(
    forms.filter((form) => /^\(global .*\(mut /.test(form)),
    [],
  );
  assert.not.match(forms.join('\n'), /relaxed_/);
});

test('exports are functions', async () => {
  const names = relaxedSimdRefusal() === null ? RELEASE_CORES : RELEASE_CORES.slice(0, 2);
  for (const name of names) {
    for (const { kind, name: item } of WebAssembly.Module.exports(await loadCore(name))) {
      assert.is(kind, 'function', `${name} ${item}`);
    }
  }
});

test('only the relaxed cores hold relaxed instructions, those that are exact in our ranges', async () => {
  for (const core of RELEASE_CORES) {
    const text = (await topLevelForms(core)).join('\n');
    const relaxed = new Set([...text.matchAll(/[a-z0-9]+\.relaxed_\w+/g)].map(String));
    const exact = ['i16x8.relaxed_dot_i8x16_i7x16_s', 'i8x16.relaxed_swizzle'];
    assert.equal([...relaxed].sort(), core.startsWith('core.relaxed') ? exact : [], core);
  }
});

test.run();
