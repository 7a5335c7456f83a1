// JSON as a stranger may write it: any value anywhere, numbers beyond all ranges, keys twice, nests without end.

import type { TestRandom } from '../support/random.js';
import { type Damage, pick } from './subject.js';

/** Text that stands in JSON as it is. */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A tree that can be spoiled at its root too. */
export interface JsonTree {
  root: unknown;
}

const NEST = 100_000;

/** As JSON.stringify, with RawJson inside. */
export function toJson(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${toJson(one)}`).join(',')}}`;
}

/** A value that nobody expects. */
export function hostileValue(random: TestRandom): unknown {
  const list: readonly (() => unknown)[] = [
    () =>
      pick(random, [null, true, false, '', ' ', 'x', '0', '-1', 'NaN', '__proto__', 'toString']),
    () => hostileNumber(random),
    () => pick(random, ['\u0000', '\ud800', '\u202e', '\u001b[2J', '\ufeff', '\u{1f600}', '../x']),
    () => 'a'.repeat(pick(random, [255, 256, 5000])),
    () => pick<unknown>(random, [[], [[]], {}, { a: 1 }, [null], [0, 0], ['', '']]),
    () => Array.from({ length: pick(random, [3, 1000]) }, () => hostileNumber(random)),
    () => new RawJson('{"__proto__":{"x":1},"constructor":1}'),
    () => new RawJson(`${'['.repeat(NEST)}${']'.repeat(NEST)}`),
    () => new RawJson(`${'{"a":'.repeat(NEST)}1${'}'.repeat(NEST)}`),
  ];
  // The nests are slow to read; they come now and then.
  return random.below(40) === 0 ? pick(random, list)() : pick(random, list.slice(0, 7))();
}

export function hostileNumber(random: TestRandom): unknown {
  const exact = [0, -0, 1, -1, 2, 3, 0.5, 1.5, 31, 32, 33, 127, 128, 255, 256, 65_535, 1 << 20];
  const edges = [2 ** 24, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 + 2, 1e-300, 5e-324, 1e300, -1e300];
  const raw = ['1e999', '-1e999', '1e-999', '-0.0', '9'.repeat(400), '1.0'];
  const kind = random.below(5);
  if (kind < 2) return pick(random, exact);
  return kind < 4 ? pick(random, edges) : new RawJson(pick(random, raw));
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

/** A place in the tree, rather near its root than in its longest list. */
function place(tree: JsonTree, random: TestRandom): Place {
  let at: Place = { holder: tree as unknown as Record<string, unknown>, key: 'root' };
  for (;;) {
    const value = at.holder[at.key];
    if (typeof value !== 'object' || value === null || value instanceof RawJson) return at;
    const keys = Object.keys(value);
    const depth = at.key === 'root' ? 30 : 4;
    if (keys.length === 0 || random.below(depth) === 0) return at;
    at = { holder: value as Record<string, unknown>, key: pick(random, keys) };
  }
}

function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

/** Ways to spoil any tree, which `of` finds in the input. */
export function jsonDamages<T>(name: string, of: (input: T) => JsonTree): Damage<T>[] {
  const damage = (what: string, apply: (tree: JsonTree, random: TestRandom) => void) => {
    return {
      name: `${name}: ${what}`,
      apply: (input: T, random: TestRandom) => apply(of(input), random),
    };
  };
  return [
    damage('a value replaced', (tree, random) => {
      const { holder, key } = place(tree, random);
      holder[key] = hostileValue(random);
    }),
    damage('a number changed', (tree, random) => {
      for (let tries = 0; tries < 20; tries++) {
        const { holder, key } = place(tree, random);
        const value = holder[key];
        if (typeof value !== 'number') continue;
        const changed = [
          value + 1,
          value - 1,
          value * 2,
          -value,
          value / 2,
          value / 3,
          value * 1e9,
        ];
        holder[key] = random.below(2) === 0 ? pick(random, changed) : hostileNumber(random);
        return;
      }
    }),
    damage('a value gone', (tree, random) => {
      const at = place(tree, random);
      if (at.key !== 'root') remove(at);
    }),
    damage('a value from elsewhere', (tree, random) => {
      const [to, from] = [place(tree, random), place(tree, random)];
      to.holder[to.key] = copyJson(from.holder[from.key]);
    }),
    damage('a key renamed', (tree, random) => {
      const { holder, key } = place(tree, random);
      if (Array.isArray(holder) || key === 'root') return;
      const name = pick(random, [`${key}_`, key.toUpperCase(), '__proto__', 'constructor', '']);
      Object.defineProperty(holder, name, {
        value: holder[key],
        enumerable: true,
        configurable: true,
        writable: true,
      });
      delete holder[key];
    }),
    damage('a key twice', (tree, random) => {
      const { holder, key } = place(tree, random);
      const value = holder[key];
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
      const body = toJson(value).slice(1, -1);
      const twice = pick(random, [...Object.keys(value), 'x']);
      const again = JSON.stringify(twice);
      const other = random.below(2) === 0 ? hostileValue(random) : (value as never)[twice];
      holder[key] = new RawJson(`{${body}${body === '' ? '' : ','}${again}:${toJson(other)}}`);
    }),
  ];
}

/** A copy of a tree, RawJson kept. */
export function copyJson(value: unknown): unknown {
  if (value instanceof RawJson || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyJson);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, copyJson(v)]));
}
