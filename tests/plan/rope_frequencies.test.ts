import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RopeSpec } from '../../bindings/model/config.js';
import { ropeFrequencies } from '../../bindings/plan/rope_frequencies.js';

const PLAIN: RopeSpec = { theta: 10000, style: 'halves', scaling: null };

function near(actual: Float64Array, expected: readonly number[]): void {
  assert.is(actual.length, expected.length);
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(actual[i]! - value) <= 1e-15 * value, `${i}: ${actual[i]}, not ${value}`);
  }
}

test('without scaling: powers of theta', () => {
  const frequencies = ropeFrequencies(PLAIN, 8, Math.pow);
  near(frequencies, [1, 0.1, 0.01, 0.001]);
});

test('linear: every frequency divided by the factor', () => {
  const scaling = { type: 'linear', factor: 4 } as const;
  const frequencies = ropeFrequencies({ ...PLAIN, scaling }, 8, Math.pow);
  near(frequencies, [0.25, 0.025, 0.0025, 0.00025]);
});

test('llama3: fast pairs kept, slow ones divided, the blend between them', () => {
  const scaling = {
    type: 'llama3',
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalContext: 8192,
  } as const;
  // Turns within 8192 positions: 1304, 13.04, 2.06, 0.1304.
  const pow = (_theta: number, exponent: number) => [1, 1e-2, 1.58e-3, 1e-4][-exponent * 4]!;
  const frequencies = ropeFrequencies({ ...PLAIN, scaling }, 8, pow);
  const kept = ((8192 * 1.58e-3) / (2 * Math.PI) - 1) / 3;
  const blend = ((1 - kept) * 1.58e-3) / 8 + kept * 1.58e-3;
  near(frequencies, [1, 1e-2, blend, 1e-4 / 8]);
});

test.run();
