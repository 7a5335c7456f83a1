// What was measured, as rows of a table; each ratio beside the one that is wanted, where one is.

import { ratioOf, type Spread, spreadOf, spreadText } from '../statistics.js';
import { markdownTable } from '../table.js';
import type { ComparisonResult } from './comparison.js';
import { ONNXRUNTIME, type OpRates } from './op_comparison.js';
import { K, N } from './op_peer.js';

export interface Row {
  readonly what: string;
  readonly model: string;
  readonly threads: number;
  readonly place: string;
  readonly peer: string;
  readonly unit: 'tok/s' | 'GOP/s';
  readonly ours: Spread;
  readonly theirs: Spread;
  /** Of pairs measured one after the other; above 1 halfbyte is faster. */
  readonly ratio: Spread;
  readonly wanted: Wanted | null;
}

/** A ratio that must be reached, and one that is aimed at. */
interface Wanted {
  readonly bar: number;
  readonly aim: number;
}

/** The first pattern that a row's `what model threads peer` begins with counts. */
const WANTED: readonly (readonly [RegExp, Wanted])[] = [
  [/^decode 135M \d+ wllama 2/, { bar: 2.5, aim: 4 }],
  [/^decode 135M \d+ wllama 3/, { bar: 8, aim: 15 }],
  [/^decode 135M \d+ node-llama-cpp/, { bar: 1, aim: 1.5 }],
  [/^decode 1.1B \d+ node-llama-cpp/, { bar: 0.9, aim: 1.2 }],
  [/^prefill \S+ \d+ wllama 2/, { bar: 4, aim: 7 }],
  [/^prefill \S+ 1 node-llama-cpp/, { bar: 0.5, aim: 0.8 }],
  [/^matvec /, { bar: 30, aim: 60 }],
  [/^GEMM /, { bar: 3, aim: 6 }],
];

export function modelRows({ comparison, rates }: ComparisonResult): Row[] {
  const { shape, threads, place } = comparison;
  const [ours, ...peers] = rates;
  return peers.flatMap((peer) =>
    (['decode', 'prefill'] as const).map((what) =>
      row(
        { what, model: shape.name, threads, place, peer: peer.runtime, unit: 'tok/s' },
        ours![what],
        peer[what],
      ),
    ),
  );
}

export function opRows(results: readonly OpRates[]): Row[] {
  return results.map(({ m, halfbyte, onnxruntime }) => {
    const what = m === 1 ? 'matvec' : `GEMM m = ${m}`;
    const about = { model: `${N} x ${K}`, threads: 1, place: 'Node', peer: ONNXRUNTIME.name };
    return row({ what, ...about, unit: 'GOP/s' }, halfbyte, onnxruntime);
  });
}

type About = Pick<Row, 'what' | 'model' | 'threads' | 'place' | 'peer' | 'unit'>;

function row(about: About, ours: readonly number[], theirs: readonly number[]): Row {
  const { what, model, threads, peer } = about;
  const words = `${what} ${model} ${threads} ${peer}`;
  return {
    ...about,
    ours: spreadOf(ours),
    theirs: spreadOf(theirs),
    ratio: ratioOf(ours, theirs),
    wanted: WANTED.find(([pattern]) => pattern.test(words))?.[1] ?? null,
  };
}

/** Medians; quartiles of the ratios. */
export function rowTable(rows: readonly Row[]): string {
  const heads = ['what', 'model', 'threads:', 'in', 'over', 'halfbyte:', 'peer:', 'unit'];
  return markdownTable(
    [...heads, 'ratio (quartiles):', 'bar, aim:'],
    rows.map(({ what, model, threads, place, peer, unit, ours, theirs, ratio, wanted }) => [
      what,
      model,
      `${threads}`,
      place,
      peer,
      ours.median.toPrecision(3),
      theirs.median.toPrecision(3),
      unit,
      spreadText(ratio, 2),
      wanted ? `${wanted.bar}, ${wanted.aim}` : '',
    ]),
  );
}

/** How the peers' next tokens agree with halfbyte's. */
export function agreementTable(results: readonly ComparisonResult[]): string {
  return markdownTable(
    [
      'model',
      'threads:',
      'peer',
      'shared of the 10 likeliest tokens:',
      'log probabilities within:',
    ],
    results.flatMap(({ comparison, agreements }) =>
      agreements.map(({ peer, shared, difference }) => [
        comparison.shape.name,
        `${comparison.threads}`,
        peer,
        `${shared}`,
        difference.toFixed(3),
      ]),
    ),
  );
}
