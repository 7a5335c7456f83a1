import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Plan, parsePlan } from '../../bench/peers/plan.js';
import { modelRows, opRows, rowTable } from '../../bench/peers/report.js';
import { OptionError } from '../../bindings/errors.js';

const peersOf = ({ models }: Plan) =>
  models.map(({ place, shape, threads, peers }) => {
    return `${place} ${shape.name} ${threads}: ${peers.map(({ name }) => name)}`;
  });

test('without options everything is compared', () => {
  const plan = parsePlan([], 'out');
  assert.equal(peersOf(plan), [
    'Node 135M 1: node-llama-cpp',
    'Chromium 135M 1: wllama 2,wllama 3',
    'Node 135M 2: node-llama-cpp',
    'Chromium 135M 2: wllama 2,wllama 3',
    'Node 1.1B 1: node-llama-cpp',
    'Chromium 1.1B 1: wllama 2',
    'Node 1.1B 2: node-llama-cpp',
    'Chromium 1.1B 2: wllama 2',
  ]);
  assert.ok(plan.ops);
});

test('--only leaves the peers whose words hold it', () => {
  const plan = parsePlan(['--only', 'wllama 3', '--threads', '2', '--trials', '1'], 'out');
  assert.equal(peersOf(plan), ['Chromium 135M 2: wllama 3']);
  assert.not(plan.ops);
  assert.ok(parsePlan(['--only', 'onnxruntime-web'], 'out').ops);
});

test('bad options are refused by name', () => {
  for (const args of [
    ['--only', 'wlama'],
    ['--shapes', '7B'],
    ['--threads', '0'],
    ['--trials', 'x'],
  ]) {
    assert.throws(
      () => parsePlan(args, 'out'),
      (error: Error) => error instanceof OptionError && error.message.includes(args[0]!),
    );
  }
});

test('a ratio is the median of paired ratios, above 1 where halfbyte is faster', () => {
  const comparison = parsePlan(['--only', 'Chromium 135M 1 wllama 2'], 'out').models[0]!;
  const rates = [
    { runtime: 'halfbyte', about: '', prefill: [100, 100, 100], decode: [30, 10, 40] },
    { runtime: 'wllama 2', about: '', prefill: [50, 25, 20], decode: [10, 10, 10] },
  ];
  const rows = modelRows({ comparison, rates, agreements: [] });
  assert.equal(
    rows.map(({ what, ratio, wanted }) => [what, ratio.median, wanted?.bar]),
    [
      ['decode', 3, 2.5],
      ['prefill', 4, 4],
    ],
  );
  const [op] = opRows([{ m: 128, halfbyte: [80], onnxruntime: [20], difference: 0 }]);
  assert.is(op!.ratio.median, 4);
  assert.is(op!.wanted?.bar, 3);
  assert.match(rowTable(rows), /decode \| 135M \| 1 \| Chromium \| wllama 2 \| 30.0 \| 10.0/);
});

test.run();
