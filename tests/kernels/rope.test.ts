import { test } from 'uvu';
import { CODE_ROPE, CODE_ROPE_ANGLES } from '../../assembly/op_layout.js';
import { rope, ropeAngles } from '../../bindings/executor/reference.js';
import { ropeFrequencies } from '../../bindings/plan/rope_frequencies.js';
import { assertClose, largest } from '../support/compare.js';
import { asF32, CORES } from '../support/core.js';
import { runOp } from '../support/ops.js';
import { caseName, hostileRows, product, TestRandom } from '../support/random.js';

const POSITIONS = [0, 1, 31, 511, 8191, 131071];

for (const one of product({ theta: [100, 10000, 1e6], headDim: [2, 8, 64, 128] })) {
  test(`rope_angles ${caseName(one)}`, () => {
    const { theta, headDim } = one;
    const spec = { theta, style: 'halves', scaling: null } as const;
    const frequencies = ropeFrequencies(spec, headDim, Math.pow);
    const rows = POSITIONS.map((position) => ({ position }));
    const [out] = runOp('rope_angles', rows.length, (core) => {
      const out = core.output(rows.length * headDim * 4);
      const fields = { out, weight: core.input(frequencies), headDim };
      return { code: CODE_ROPE_ANGLES, fields, rows, outputs: [out] };
    });
    const expected = ropeAngles(POSITIONS, frequencies);
    assertClose(
      asF32(out!),
      expected,
      'ropeAngles',
      'rope_angles',
      expected.map(() => 1),
    );
  });
}

for (const one of product({
  style: ['halves', 'interleaved'] as const,
  rows: [1, 2, 9],
  heads: [1, 3],
  headDim: [2, 8, 12, 64],
})) {
  test(`rope ${caseName(one)}`, () => {
    const { style, rows, heads, headDim } = one;
    const random = new TestRandom(rows * 1000 + heads * 100 + headDim);
    const x = hostileRows(rows, heads * headDim, random);
    const turn = Float64Array.from({ length: headDim / 2 }, () => random.between(0, 7));
    const positions = Array.from({ length: rows }, (_, i) => i);
    const angles = Float32Array.from(ropeAngles(positions, turn));
    const [out] = runOp('rope', rows, (core) => {
      const out = core.input(x);
      const interleaved = style === 'interleaved';
      const fields = { out, x: core.input(angles), heads, headDim, interleaved };
      return { code: CODE_ROPE, fields, rows, outputs: [out] };
    });
    const [x64, angles64] = [Float64Array.from(x), Float64Array.from(angles)];
    const expected = rope(x64, angles64, heads, headDim, style);
    assertClose(asF32(out!), expected, 'rope', 'rope', headMaxima(x64, headDim));
  });
}

/** Per element the largest |x| of its head: both terms of a rotated element are below it. */
function headMaxima(x: Float64Array, headDim: number): Float64Array {
  return x.map((_, i) => largest(x.subarray(i - (i % headDim), i - (i % headDim) + headDim)));
}

test('pow64 agrees with the mathematical power', () => {
  for (const core of CORES) {
    const bases = [100, 1e4, 5e5, 1e6];
    const exponents = [0, -0.015625, -0.25, -0.5, -0.984375, -1];
    const pairs = bases.flatMap((base) => exponents.map((exponent) => [base, exponent] as const));
    const actual = pairs.map(([base, exponent]) => core.call('pow64', base, exponent)!);
    assertClose(
      actual,
      pairs.map(([base, exponent]) => base ** exponent),
      'pow',
      core.name,
    );
  }
});

test.run();
