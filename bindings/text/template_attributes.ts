// `selectattr` and `rejectattr`: Jinja gives their test an undefined value where a part has no such attribute; the
// library takes the part for one that fails every test, `undefined` too.

import type { TemplateBudget } from './template_budget.js';
import { arrayOf, partCount, partsOf, toValue, type Value } from './template_values.js';

/**
 * @param filter the library's, on a list
 * @returns what it leaves of `list` where parts without `attribute` have an undefined one
 */
export function filterByAttribute(
  list: Value,
  attribute: string,
  budget: TemplateBudget,
  filter: (list: Value) => Value,
): Value {
  const parts = partsOf(list);
  if (!Array.isArray(parts)) return filter(list);
  const originals = new Map<Value, Value>();
  const complete = parts.map((part: Value) => {
    const fields = partsOf(part);
    if (!(fields instanceof Map) || fields.has(attribute)) return part;
    budget.spend(partCount(part) + 1);
    const copy = toValue({});
    const copied = copy.value as unknown as Map<string, Value>;
    for (const [name, value] of fields) copied.set(name, value);
    copied.set(attribute, toValue(undefined));
    originals.set(copy, part);
    return copy;
  });
  if (originals.size === 0) return filter(list);
  const left = filter(arrayOf(complete));
  return arrayOf((left.value as Value[]).map((part) => originals.get(part) ?? part));
}
