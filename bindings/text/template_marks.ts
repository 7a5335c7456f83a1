// Operations of a template in which its own texts meet marked ones of the caller.

import type { CallerMarks } from './caller_marks.js';
import type { Arguments } from './template_costs.js';
import { arrayOf, textOf, toValue, type Value } from './template_values.js';

/** A text, or a list with its texts, as the template knows them: to be compared. */
export function withoutMarks(marks: CallerMarks, value: Value): Value {
  const { value: inner } = value;
  if (typeof inner === 'string') return marks.isMarked(inner) ? toValue(marks.plain(inner)) : value;
  const isMarked = (one: Value) => marks.isMarked(textOf(one) ?? '');
  if (!Array.isArray(inner) || !inner.some(isMarked)) return value;
  return arrayOf(inner.map((one) => withoutMarks(marks, one)));
}

/** Operand and arguments of a filter or method, such that what the template looks for is found in the caller's text. */
export function aligned(
  marks: CallerMarks,
  name: string,
  operand: Value,
  args: Arguments,
): [operand: Value, args: Arguments] {
  const text = textOf(operand);
  if (text === null) return [operand, args];
  if (name === 'startswith' || name === 'endswith') {
    const positional = args.positional.map((one) => withoutMarks(marks, one));
    return [withoutMarks(marks, operand), { ...args, positional }];
  }
  const [first, ...rest] = args.positional;
  const part = first === undefined ? null : textOf(first);
  const looksFor = name === 'split' || name === 'replace';
  if (!looksFor || part === null || part === '' || !marks.isMarked(text)) return [operand, args];
  const positional = [toValue(marks.cover(part)), ...rest];
  return [toValue(marks.coverIn(text, marks.plain(part))), { ...args, positional }];
}
