// A short run of the fuzzer; `npm run fuzz -- --minutes N` is the long one.

import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Findings } from './findings.js';
import { runCases } from './run.js';
import { subjects } from './subjects.js';

const SUBJECTS = fileURLToPath(new URL('./subjects.js', import.meta.url));
const CASES = 1200;
const SEED = 8;

test(`${CASES} cases: refused by name, or as the reference executor says`, async () => {
  const findings = new Findings();
  const options = {
    seed: SEED,
    from: 0,
    cases: CASES,
    cpuSeconds: Number.POSITIVE_INFINITY,
    processes: 1,
    caseSeconds: 10,
    residentBytes: 1e9,
    kinds: 'all',
    subjects: SUBJECTS,
  };
  await runCases(options, {
    onEnd: (number, kind, outcome) => findings.add(number, kind, outcome),
    onSmaller: (number, found) => findings.replace(number, found),
    onCpu: () => {},
  });
  const found = findings.kept.map(({ number, found: { shape } }) => `case ${number}: ${shape}`);
  assert.equal(found, [], `npm run fuzz -- --seed ${SEED} --case N`);
  assert.is(findings.total.cases, CASES);
  for (const { kind } of subjects) {
    const { accepted = 0, refused = 0 } = findings.tallies.get(kind) ?? {};
    assert.ok(accepted > 0 && refused > 0, `${kind}: ${accepted} accepted, ${refused} refused`);
  }
});

test.run();
