// `npm run fuzz`: docs/fuzzing.md has the options. Progress on stderr, the summary on stdout; exit 1 with findings.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Findings, type Kept } from './findings.js';
import { type RunOptions, runCases } from './run.js';
import { printSummary } from './summary.js';

const SUBJECTS = fileURLToPath(new URL('./subjects.js', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../../.cache/fuzz', import.meta.url));
const PROGRESS_MS = 5000;
const MINUTES = 1;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    cases: { type: 'string' },
    seed: { type: 'string' },
    case: { type: 'string' },
    only: { type: 'string' },
    kinds: { type: 'string', default: 'all' },
    processes: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    megabytes: { type: 'string', default: '1000' },
    subjects: { type: 'string', default: SUBJECTS },
    folder: { type: 'string', default: FOLDER },
  },
});

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`[--${name}] expected a whole number, came ${text}`);
}

function readOptions(): RunOptions {
  const one = values.case !== undefined;
  const cases = values.cases ?? (one ? '1' : undefined);
  const minutes = values.minutes ?? (cases === undefined ? String(MINUTES) : 'Infinity');
  return {
    seed: whole('seed', values.seed ?? String(Date.now() % 2 ** 32)),
    from: whole('case', values.case ?? '0'),
    cases: cases === undefined ? Number.MAX_SAFE_INTEGER : whole('cases', cases),
    cpuSeconds: 60 * Number(minutes),
    processes: one ? 1 : Math.max(1, whole('processes', values.processes)),
    caseSeconds: whole('seconds', values.seconds),
    residentBytes: 1e6 * whole('megabytes', values.megabytes),
    kinds: values.kinds,
    subjects: values.subjects,
    only: values.only,
    signal: interrupt.signal,
  };
}

/** Ctrl-C ends the run; what was found is told all the same. */
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
const options = readOptions();
const findings = new Findings();
let cpu = 0;

function again({ number, found }: Kept): string {
  const kinds = options.kinds === 'all' ? '' : ` --kinds '${options.kinds}'`;
  const fewer = found.needed.length < found.damages.length;
  const only = fewer && found.needed.length > 0 ? ` --only ${found.needed.join(',')}` : '';
  return `npm run fuzz -- --seed ${options.seed}${kinds} --case ${number}${only}`;
}

function progress(): void {
  const { cases, findings: count } = findings.total;
  process.stderr.write(`${cases} cases, ${Math.round(cpu)} CPU s, ${count} findings\n`);
}

const timer = setInterval(progress, PROGRESS_MS);
try {
  await runCases(options, {
    onEnd: (number, kind, outcome) => findings.add(number, kind, outcome),
    onSmaller: (number, found) => findings.replace(number, found),
    onCpu: (seconds) => {
      cpu = seconds;
    },
  });
} finally {
  clearInterval(timer);
}
const single = values.case !== undefined && options.cases === 1;
if (!single) findings.write(values.folder, again);
printSummary(findings, { seed: options.seed, cpu, again, details: single });
process.exitCode = findings.total.findings > 0 ? 1 : 0;
