// What was asked for by name or number is had or refused, with what to do; what was left open falls back.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseRuntime } from '../../bindings/executor/wasm/choose_runtime.js';
import { relaxedSimdVeto } from '../../bindings/platform/node.js';
import { raises } from '../support/raises.js';

/** Runs `use` as a page without the isolation headers would. */
function unisolated<T>(use: () => T): T {
  const scope = globalThis as { crossOriginIsolated?: boolean };
  scope.crossOriginIsolated = false;
  try {
    return use();
  } finally {
    delete scope.crossOriginIsolated;
  }
}

const HEADERS = [
  'Cross-Origin-Opener-Policy: same-origin',
  'Cross-Origin-Embedder-Policy: require-corp',
];

test('threads by number on a page without isolation headers', async () => {
  const choose = () => unisolated(() => chooseRuntime({ threads: 4 }));
  await raises(choose, 'OPTION', ['[load]', '4 threads', 'isolated', ...HEADERS, "'auto'"]);
  assert.is(unisolated(() => chooseRuntime({ threads: 1 })).threads, 1);
});

test('threads left open there: one, and why', () => {
  const { threads, refusals } = unisolated(() => chooseRuntime({ threads: 'auto' }));
  assert.is(threads, 1);
  for (const header of HEADERS) assert.ok(refusals.join().includes(header), refusals.join());
});

test('Node 20 says what a newer one brings', () => {
  const own = Object.getOwnPropertyDescriptor(process.versions, 'node')!;
  const vetoOf = (version: string) => {
    Object.defineProperty(process.versions, 'node', { ...own, value: version });
    return relaxedSimdVeto();
  };
  try {
    assert.is(vetoOf('22.0.0'), null);
    assert.match(vetoOf('20.19.0')!, 'Node 22 and newer run prefill 2.5 times as fast');
  } finally {
    Object.defineProperty(process.versions, 'node', own);
  }
});

test.run();
