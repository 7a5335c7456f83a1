// The one place where a checkpoint's weights meet the plan: after it, no shape is checked again.

import { FormatError, ShapeError } from '../errors.js';
import type { Weight } from '../model/weight.js';
import type { Plan } from './ops.js';

const NAMES_SHOWN = 5;

/**
 * Checks that the checkpoint `name` has exactly the weights the plan names, in the plan's shapes.
 * @throws FormatError for a weight that is missing or that nothing uses, ShapeError with both shapes.
 */
export function checkWeights(plan: Plan, weights: ReadonlyMap<string, Weight>, name: string): void {
  for (const [path, shape] of plan.weights) {
    const weight = weights.get(path);
    if (weight === undefined) {
      throw new FormatError(`[${name}] ${path}.weight is missing, expected shape ${text(shape)}`);
    }
    if (weight.shape.join() !== shape.join()) {
      throw new ShapeError(
        `[${name}] ${path}.weight: shape ${text(weight.shape)}, expected ${text(shape)}`,
      );
    }
    checkVectorFormat(weight, name);
  }
  const unused = [...weights.keys()].filter((path) => !plan.weights.has(path));
  if (unused.length > 0) {
    const more = unused.length > NAMES_SHOWN ? ` and ${unused.length - NAMES_SHOWN} more` : '';
    const shown = unused.slice(0, NAMES_SHOWN).join(', ');
    throw new FormatError(`[${name}] weights that the model does not use: ${shown}${more}`);
  }
}

/** Groups run along k, which a vector has not. */
function checkVectorFormat(weight: Weight, name: string): void {
  if (weight.shape.length > 1 || weight.format.float) return;
  throw new FormatError(`[${name}] ${weight.path}.weight: a vector is quantized, expected floats`);
}

function text(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
