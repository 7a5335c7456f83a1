// A load that fails has stopped reading by the time it says so.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Core, MemoryViews } from '../../bindings/executor/wasm/core.js';
import type { Layout } from '../../bindings/executor/wasm/layout.js';
import { packAll } from '../../bindings/executor/wasm/pack_all.js';
import type { Checkpoint } from '../../bindings/model/checkpoint.js';
import { floatWeight, type Weight } from '../../bindings/model/weight.js';

const ROW_BYTES = 64;

/** A float weight [16, 16] whose bytes take `ms` to come. */
function weight(path: string, ms: number): Weight {
  const source = {
    name: path,
    size: 16 * ROW_BYTES,
    read: () => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    close: async () => {},
  };
  const values = { name: path, source, offset: 0, bytes: 16 * ROW_BYTES };
  return floatWeight(path, [16, 16], 'f32', values);
}

test('after the error of one tensor nothing is read or reported any more', async () => {
  const weights = new Map(['bad', 'slow', 'never'].map((path, i) => [path, weight(path, i * 20)]));
  const core = { pack_tensor: () => 3 } as unknown as Core;
  const views = {
    words: new Uint32Array(64),
    bytes: (_: number, length: number) => new Uint8Array(length),
  } as unknown as MemoryViews;
  const places = { staging: 0, stagingBytes: 32 * ROW_BYTES, weights: new Map() };
  let reports = 0;
  const onProgress = () => {
    reports++;
  };
  try {
    await packAll(core, views, { weights } as unknown as Checkpoint, places as unknown as Layout, {
      onProgress,
    });
    assert.unreachable('packed');
  } catch (error) {
    assert.match(String(error), /bad.*row 3/s);
  }
  const then = reports;
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.is(reports, then);
  assert.is(reports, 2, 'bad and slow');
});

test.run();
