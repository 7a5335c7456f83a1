// Promise 1: one model, one prompt, one set of bits, whatever build, thread count or chunking ran it.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { relaxedSimdRefusal } from '../../bindings/executor/features.js';
import { OUTCOMES, type Outcome, outcomes } from './hashes.js';

const NODE_24 = fileURLToPath(
  new URL('../../../tools/runtimes/node_modules/node24/bin/node', import.meta.url),
);

/** Every outcome of a group has the hash of the group's first. */
function assertOneHash(all: readonly Outcome[]): void {
  const first = new Map<string, Outcome>();
  for (const outcome of all) {
    const expected = first.get(outcome.group) ?? outcome;
    first.set(outcome.group, expected);
    assert.is(
      outcome.hash,
      expected.hash,
      `${outcome.group}: ${outcome.variant} differs from ${expected.variant}`,
    );
  }
  const hashes = new Set([...first.values()].map(({ hash }) => hash));
  assert.is(hashes.size, first.size, 'weights and KV types all matter to the logits');
}

/** The relaxed build here, or in Node 24 where this Node may not use it; null if there is none. */
async function relaxedOutcomes(): Promise<Outcome[] | null> {
  if (relaxedSimdRefusal() === null) return outcomes('relaxed');
  if (!existsSync(NODE_24)) return null;
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  return JSON.parse(execFileSync(NODE_24, [main], { encoding: 'utf8', maxBuffer: 1 << 26 }));
}

const baseline = await outcomes('baseline');
const relaxed = await relaxedOutcomes();

test('baseline SIMD: threads, chunks, fork, truncate, traced', () => {
  assert.is(baseline.length, OUTCOMES);
  assert.ok(OUTCOMES >= 600);
  assertOneHash(baseline);
});

if (relaxed) {
  test('relaxed SIMD gives the same bits', () => {
    assert.is(relaxed.length, baseline.length);
    assertOneHash([...baseline, ...relaxed]);
  });
} else {
  console.log('relaxed SIMD is not tested: this Node lacks it and Node 24 is not installed');
}

test.run();
