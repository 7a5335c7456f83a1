import { test } from 'uvu';
import { softmax } from '../../bindings/executor/reference.js';
import { assertClose, largest } from '../support/compare.js';
import { asF32, runKernel } from '../support/core.js';
import { caseName, HOSTILE_ROWS, hostileRow, product, TestRandom } from '../support/random.js';

function run(scores: Float32Array, temperature: number): Float32Array {
  const [bytes] = runKernel('softmax', 1, (core) => {
    const x = core.input(scores);
    const call = (begin: number, end: number) => {
      if (begin < end) core.call('softmax', x.address, scores.length, temperature);
    };
    return { outputs: [x], call };
  });
  return asF32(bytes!);
}

for (const one of product({ n: [1, 3, 4, 65, 512, 4097], temperature: [1, 0.1, 2] })) {
  test(`softmax ${caseName(one)}`, () => {
    for (const kind of HOSTILE_ROWS) {
      const scores = hostileRow(kind, one.n, new TestRandom(one.n));
      const expected = softmax(scores, one.temperature);
      const max = scores.reduce((a, b) => Math.max(a, b));
      // e^x loses |x| ulps of its argument.
      const scales = expected.map((p, i) => p * (1 + (max - scores[i]!) / one.temperature));
      assertClose(run(scores, one.temperature), expected, 'softmax', kind, scales);
    }
  });
}

test('an entry of minus infinity has no probability', () => {
  const scores = Float32Array.from([1, Number.NEGATIVE_INFINITY, 1, 1, Number.NEGATIVE_INFINITY]);
  const third = Math.fround(1 / 3);
  assertClose(run(scores, 1), [third, 0, third, third, 0], 'softmax', 'masked');
});

test('probabilities sum to one', () => {
  for (const kind of HOSTILE_ROWS) {
    const sum = run(hostileRow(kind, 32000, new TestRandom(5)), 1).reduce((a, b) => a + b, 0);
    assertClose([sum], [1], 'softmax', kind, [largest([1])]);
  }
});

test.run();
