// What every chat template may call, besides its own macros and the methods of values.

import { Environment } from '@huggingface/jinja';
import type { TemplateBudget } from './template_budget.js';

/** Steps that a number in a list costs: a place, and an object of its own. */
const STEPS_PER_NUMBER = 4;
const MONTHS =
  'January February March April May June July August September October November December'.split(
    ' ',
  );

/** The outermost scope: Jinja's globals, then `variables`. */
export function templateScope(
  variables: Readonly<Record<string, unknown>>,
  budget: TemplateBudget,
): Environment {
  const globals = {
    false: false,
    true: true,
    none: null,
    False: false,
    True: true,
    None: null,
    raise_exception: raiseException,
    range: (start: unknown, stop?: unknown, step?: unknown) => range(budget, start, stop, step),
    strftime_now: (format: unknown) => formatDate(new Date(), format),
  };
  const scope = new Environment();
  for (const [name, value] of Object.entries(globals)) scope.set(name, value);
  for (const [name, value] of Object.entries(variables)) scope.set(name, value);
  return scope;
}

function raiseException(reason: unknown): never {
  throw new Error(typeof reason === 'string' ? reason : 'refuses the messages');
}

function range(budget: TemplateBudget, ...bounds: unknown[]): number[] {
  const [first, second, step = 1] = bounds as (number | undefined)[];
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  for (const bound of [start, stop, step]) {
    if (!Number.isSafeInteger(bound)) {
      throw new Error(`range: expected integers, came ${typeof bound}`);
    }
  }
  if (step === 0) throw new Error('range: expected a step other than 0');
  const length = Math.max(0, Math.ceil((stop! - start!) / step));
  budget.spend(length * STEPS_PER_NUMBER);
  return Array.from({ length }, (_, i) => start! + i * step);
}

/** As Python's strftime, in English whatever the locale, so that prompts are the same everywhere. */
function formatDate(date: Date, format: unknown): string {
  if (typeof format !== 'string') {
    throw new Error(`strftime_now: expected a text, came ${typeof format}`);
  }
  const two = (value: number) => String(value).padStart(2, '0');
  const month = MONTHS[date.getMonth()]!;
  const fields: Readonly<Record<string, string>> = {
    '%Y': String(date.getFullYear()),
    '%m': two(date.getMonth() + 1),
    '%d': two(date.getDate()),
    '%b': month.slice(0, 3),
    '%B': month,
    '%H': two(date.getHours()),
    '%M': two(date.getMinutes()),
    '%%': '%',
  };
  return format.replace(/%[YmdbBHM%]/g, (field) => fields[field]!);
}
