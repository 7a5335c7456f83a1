// What the fuzzer once found stays mended.

import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Findings } from './findings.js';
import { subjects } from './former.js';
import { runCases } from './run.js';

const FORMER = fileURLToPath(new URL('./former.js', import.meta.url));

for (const { kind } of subjects) {
  test(kind, async () => {
    const findings = new Findings();
    const limits = { caseSeconds: 5, residentBytes: 1e9, cpuSeconds: Number.POSITIVE_INFINITY };
    const cases = { seed: 1, from: 0, cases: 1, processes: 1, kinds: kind, subjects: FORMER };
    await runCases(
      { ...cases, ...limits },
      {
        onEnd: (number, of, outcome) => findings.add(number, of, outcome),
        onSmaller: () => {},
        onCpu: () => {},
      },
    );
    assert.is(findings.total.cases, 1);
    assert.equal(
      findings.kept.map(({ found: { what, message } }) => `${what}: ${message}`),
      [],
    );
  });
}

test.run();
