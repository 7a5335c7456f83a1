// The values and nodes of the Jinja library, as far as the limits and marks of a rendering look at them.

import { Environment, type Interpreter } from '@huggingface/jinja';

export type Scope = Environment;
export type Value = ReturnType<Interpreter['evaluate']>;
type Evaluated = NonNullable<Parameters<Interpreter['evaluate']>[0]>;

/** Any node; which fields it has its type says. */
export interface Node extends Evaluated {
  readonly [field: string]: unknown;
}

/** A node that has been evaluated already, in the place of the original. */
export interface HeldNode extends Evaluated {
  readonly held: Value;
}

const HELD = 'Held';

export function held(value: Value): HeldNode {
  return { type: HELD, held: value };
}

export function isHeld(node: Evaluated): node is HeldNode {
  return node.type === HELD;
}

/** A value of the library. */
export function toValue(value: unknown): Value {
  return new Environment().set('value', value);
}

/** An array of such values as one of them. */
export function arrayOf(elements: readonly Value[]): Value {
  const array = toValue([]);
  const places = array.value as Value[];
  for (const element of elements) places.push(element);
  return array;
}

export function textOf(value: Value): string | null {
  return typeof value.value === 'string' ? value.value : null;
}

/** What an array, tuple, object or namespace holds; null for anything else. */
export function partsOf(value: Value): readonly Value[] | ReadonlyMap<string, Value> | null {
  const { value: parts } = value as { value: unknown };
  return Array.isArray(parts) || parts instanceof Map ? parts : null;
}

export function partCount(value: Value): number {
  const parts = partsOf(value);
  if (parts === null) return 0;
  return parts instanceof Map ? parts.size : (parts as readonly Value[]).length;
}

/** How often `part`, not empty, occurs in `text`, occurrences side by side. */
export function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}
