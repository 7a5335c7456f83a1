// Runs cases one after another in a process of its own, which may hang or die:
//
//   node child.js SEED FROM STEP COUNT KINDS SUBJECTS [ONLY]
//
// KINDS: names with commas, or `all`; SUBJECTS: a module; ONLY: indices of damages, of one case.

import { pathToFileURL } from 'node:url';
import { cpuSeconds, type Found, tell } from './lines.js';
import { type Case, drawCase, type Subject } from './subject.js';
import { Finding, type Seen, seen, shapeOf, type Verdict } from './verdict.js';

const LONGEST_INPUT = 200_000;

const [seed = '', from = '', step = '', count = '', kinds = '', path = '', only] =
  process.argv.slice(2);
const module = (await import(pathToFileURL(path).href)) as { subjects: readonly Subject[] };
const wanted = new Set(kinds.split(','));
const subjects = module.subjects.filter(({ kind }) => kinds === 'all' || wanted.has(kind));

/** What a case did after it had ended, or beside its promises. */
let astray: Seen | null = null;
process.on('uncaughtException', (error) => {
  astray ??= seen(new Finding('uncaught', `${error}`, { cause: error }));
});

const known = new Set<string>();
for (let i = 0; i < Number(count); i++) {
  await runCase(Number(from) + i * Number(step));
}
process.exit(0);

async function runCase(number: number): Promise<void> {
  const drawn = drawCase(subjects, Number(seed), number);
  const one = only === undefined ? drawn : keeping(drawn, indicesIn(only));
  const { kind } = one;
  const input = Number(count) === 1 ? inputOf(one) : undefined;
  tell({ begin: number, kind, damages: namesOf(one), cpu: cpuSeconds(), input });
  const outcome = await outcomeOf(one);
  if (typeof outcome === 'string') {
    tell({ end: number, kind, verdict: outcome, cpu: cpuSeconds() });
    return;
  }
  const all = one.damages.map((_, i) => i);
  const found = describe(one, outcome, all);
  tell({ end: number, kind, found, cpu: cpuSeconds() });
  if (known.has(found.shape) || only !== undefined) return;
  known.add(found.shape);
  tell({ begin: number, kind, damages: namesOf(one), cpu: cpuSeconds() });
  const needed = await neededDamages(one, found.shape);
  const smaller = describe(keeping(one, needed), outcome, needed);
  tell({ smaller: number, found: { ...smaller, damages: found.damages }, cpu: cpuSeconds() });
}

function indicesIn(text: string): number[] {
  return text === '' ? [] : text.split(',').map(Number);
}

async function outcomeOf(one: Case): Promise<Verdict | Seen> {
  astray = null;
  try {
    const verdict = await trialOf(one).run();
    // Rejections that nobody awaits come a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    return astray ?? verdict;
  } catch (error) {
    return seen(error);
  }
}

/** Leaves out each damage in turn and keeps it only if the finding goes with it. */
async function neededDamages(one: Case, shape: string): Promise<number[]> {
  let needed = one.damages.map((_, i) => i);
  for (const left of [...needed]) {
    const fewer = needed.filter((i) => i !== left);
    const outcome = await outcomeOf(keeping(one, fewer));
    if (typeof outcome !== 'string' && shapeOf(one.kind, outcome) === shape) needed = fewer;
  }
  return needed;
}

function keeping(one: Case, indices: readonly number[]): Case {
  return { ...one, damages: one.damages.filter((_, i) => indices.includes(i)) };
}

function describe(one: Case, outcome: Seen, needed: readonly number[]): Found {
  const shape = shapeOf(one.kind, outcome);
  return { ...outcome, kind: one.kind, shape, damages: namesOf(one), needed, input: inputOf(one) };
}

function inputOf(one: Case): string {
  return trialOf(one).show().slice(0, LONGEST_INPUT);
}

function trialOf(one: Case) {
  return subjects.find(({ kind }) => kind === one.kind)!.prepare(one);
}

function namesOf({ kind, damages }: Case): string[] {
  const names = subjects.find((subject) => subject.kind === kind)!.damages;
  return damages.map(({ index }) => names[index]!);
}
