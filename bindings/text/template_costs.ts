// What the operations of a chat template cost, spent before they run: one alone could take forever or fill
// the memory.

import type { TemplateBudget } from './template_budget.js';
import { occurrences, partCount, partsOf, textOf, type Value } from './template_values.js';

const CHARACTERS_PER_STEP = 8;
/** Pairs of a character of a text and one that is looked for in it. */
const COMPARISONS_PER_STEP = 1024;
/** An object for each part, beside its place in a list. */
const STEPS_PER_OBJECT = 4;
/** An iteration's variables and `loop`. */
const STEPS_PER_ITERATION = 12;
const PARTS_PER_STEP = 2;
/** More than the logarithm of any list's length. */
const SORTING = 24;
/** Filters that look at no part of their operand. */
const FREE = new Set(['default', 'first', 'last', 'length', 'list', 'safe']);
/** Filters and methods that write out or compare whatever their operand holds. */
const WRITING = new Set(['dictsort', 'join', 'sort', 'string', 'tojson', 'unique']);
const MAKING_OBJECTS = new Set(['dictsort', 'items', 'keys', 'values']);
const DEFAULT_INDENT = 4;

/** Of a call or a filter. */
export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** What writing a value out needs for each part, and for each part by how deep it lies. */
interface Layout {
  readonly part: number;
  readonly depth: number;
}

/**
 * Spends what writing a value out takes, which may be endless: parts may hold each other.
 * @returns characters, about
 */
export function spendWriting(
  budget: TemplateBudget,
  value: Value,
  layout: Layout = { part: 0, depth: 0 },
): number {
  let length = 0;
  const waiting: [value: Value, depth: number][] = [[value, 0]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [one, depth] = next;
    const parts = partsOf(one);
    let written = textOf(one)?.length ?? 0;
    if (depth > 0) written += 1 + layout.part + layout.depth * depth;
    if (parts instanceof Map) for (const key of parts.keys()) written += key.length;
    length += written;
    budget.spend(written / CHARACTERS_PER_STEP + partCount(one) / PARTS_PER_STEP);
    for (const part of parts?.values() ?? []) waiting.push([part, depth + 1]);
  }
  return length;
}

/** A text is handed on: it may be copied. */
export function spendText(budget: TemplateBudget, text: string): void {
  budget.spend(text.length / CHARACTERS_PER_STEP);
}

/** Of `==`: two lists are equal if they are one; a list and a text are compared as texts. */
export function spendComparing(budget: TemplateBudget, left: Value, right: Value): void {
  const asTexts = typeof left.value !== 'object' || typeof right.value !== 'object';
  if (asTexts) for (const one of [left, right]) spendWriting(budget, one);
}

/** Of `part in whole`. */
export function spendFinding(budget: TemplateBudget, part: Value, whole: Value): void {
  const [wanted, text] = [textOf(part) ?? '', textOf(whole) ?? ''];
  for (const one of [wanted, text]) spendText(budget, one);
  budget.spend((text.length * wanted.length) / COMPARISONS_PER_STEP);
  if (Array.isArray(whole.value)) spendWriting(budget, whole);
}

/** A loop over so many parts begins, with so many variables for each. */
export function spendLoop(budget: TemplateBudget, parts: number, variables: number): void {
  budget.spend(parts * (STEPS_PER_ITERATION + variables));
}

/** Parts of a list are copied. */
export function spendSlice(budget: TemplateBudget, list: Value): void {
  budget.spend(partCount(list) / PARTS_PER_STEP);
}

/** A filter or a method is about to run on `operand`. */
export function spendOperation(
  budget: TemplateBudget,
  name: string,
  operand: Value,
  args: Arguments,
): void {
  if (FREE.has(name)) return;
  const text = textOf(operand);
  const parts = partCount(operand);
  let size = text?.length ?? 0;
  if (text === null && WRITING.has(name)) size += spendWriting(budget, operand, layoutOf(args));
  let argumentSize = 0;
  for (const value of [...args.positional, ...args.named.values()]) {
    argumentSize += textOf(value)?.length ?? partCount(value);
  }
  if (MAKING_OBJECTS.has(name)) budget.spend(parts * STEPS_PER_OBJECT);
  const steps =
    size / CHARACTERS_PER_STEP +
    (size * argumentSize) / COMPARISONS_PER_STEP +
    // Each part may be compared with an argument, or looked into by a path.
    parts * (1 + argumentSize / CHARACTERS_PER_STEP);
  budget.spend(name.endsWith('sort') ? steps * SORTING : steps);
  if (text !== null) checkGrowth(budget, name, text, args);
  else if (WRITING.has(name)) budget.checkText(size + parts * lengthOf(args, 0, 'separator'));
}

/** What a text grows to. */
function checkGrowth(budget: TemplateBudget, name: string, text: string, args: Arguments): void {
  const argument = (index: number) => lengthOf(args, index, '');
  if (name === 'join') {
    budget.checkText(text.length * (1 + lengthOf(args, 0, 'separator')));
  } else if (name === 'indent') {
    const width = args.positional[0] ?? args.named.get('width');
    const indent = typeof width?.value === 'number' ? width.value : DEFAULT_INDENT;
    budget.checkText(text.length + (occurrences(text, '\n') + 1) * Math.max(0, indent));
  } else if (name === 'replace') {
    budget.checkText(text.length + timesIn(text, args) * (argument(1) - argument(0)));
  } else if (name === 'split') {
    budget.spend(timesIn(text, args) * STEPS_PER_OBJECT);
  }
}

/** How often the first argument is found; without it a text is split between words. */
function timesIn(text: string, { positional }: Arguments): number {
  const part = positional[0] === undefined ? null : textOf(positional[0]);
  if (part === null) return text.length / 2;
  return part === '' ? text.length + 1 : occurrences(text, part);
}

function lengthOf({ positional, named }: Arguments, index: number, name: string): number {
  const value = positional[index] ?? named.get(name);
  return value === undefined ? 0 : (textOf(value)?.length ?? 0);
}

/** Of `tojson(indent, separators)`. */
function layoutOf({ named }: Arguments): Layout {
  const indent = named.get('indent')?.value;
  const separators = named.get('separators');
  let part = 2;
  for (const one of (separators && partsOf(separators)?.values()) ?? []) {
    part += textOf(one)?.length ?? 0;
  }
  return { part, depth: typeof indent === 'number' ? Math.max(0, indent) : 0 };
}
