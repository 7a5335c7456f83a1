// Subjects with known faults, for the tests of the fuzzer itself. Each does harm only where it was spoiled.

import type { ModelLocation } from '../../bindings/index.js';
import { type Draft, draftFiles, makeDraft } from './draft.js';
import { runModel } from './oracle.js';
import { type Subject, subject } from './subject.js';
import type { Verdict } from './verdict.js';

/** A subject whose one damage makes `run` do that. */
function planted(kind: string, harm: () => unknown): Subject {
  return subject<{ spoiled: boolean }>({
    kind,
    share: 1,
    damages: [{ name: 'planted', apply: (input) => Object.assign(input, { spoiled: true }) }],
    make: () => ({ spoiled: false }),
    async run(input): Promise<Verdict> {
      if (input.spoiled) await harm();
      return 'accepted';
    },
    show: (input) => JSON.stringify(input),
  });
}

const held: Uint8Array[] = [];

/** Of its three damages only `b` does harm. */
const oneOfThree = subject<Set<string>>({
  kind: 'one of three',
  share: 1,
  damages: ['a', 'b', 'c'].map((name) => ({ name, apply: (input) => void input.add(name) })),
  make: () => new Set(),
  async run(input): Promise<Verdict> {
    if (input.has('b')) throw new TypeError('b is not a function');
    return 'accepted';
  },
  show: (input) => [...input].join(),
});

/** The reference executor reads a file with one weight that is not the model's. */
const wrongOracle = subject<{ draft: Draft; oracle: Draft }>({
  kind: 'wrong oracle',
  share: 1,
  damages: [
    {
      name: 'another weight',
      apply({ oracle }) {
        const at = oracle.tensors.findIndex(({ name }) => name === 'model.norm.weight');
        const tensor = oracle.tensors[at]!;
        const bytes = tensor.bytes.slice();
        new DataView(bytes.buffer).setFloat32(0, 9, true);
        oracle.tensors[at] = { ...tensor, bytes };
      },
    },
  ],
  make(random) {
    const draft = { ...makeDraft(random, ['int4']), layout: 'file' as const };
    return { draft, oracle: { ...draft, tensors: [...draft.tensors] } };
  },
  run: ({ draft, oracle }, random) =>
    runModel(draftFiles(draft), random, draftFiles(oracle) as ModelLocation),
  show: () => '',
});

export const subjects: readonly Subject[] = [
  planted('no harm', () => {}),
  planted('type error', () => {
    throw new TypeError('Cannot read properties of undefined');
  }),
  planted('hang', () => {
    for (;;);
  }),
  planted('silence', () => new Promise((resolve) => setTimeout(resolve, 1e9))),
  planted('memory', async () => {
    for (;;) {
      held.push(new Uint8Array(2e7).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }),
  planted('death', () => process.exit(7)),
  planted('astray', () => void Promise.reject(new Error('nobody awaits it'))),
  oneOfThree,
  wrongOracle,
];
