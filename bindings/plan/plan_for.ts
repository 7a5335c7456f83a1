// Which plan an architecture has. A new architecture is one file and one line here.

import { UnsupportedError } from '../errors.js';
import type { ModelConfig } from '../model/config.js';
import { planLlama } from './llama.js';
import type { Plan } from './ops.js';

const PLANS: ReadonlyMap<string, (config: ModelConfig) => Plan> = new Map([
  ['LlamaForCausalLM', planLlama],
]);

/**
 * The plan of a model.
 * @throws UnsupportedError naming the architectures that have one.
 */
export function planFor(config: ModelConfig): Plan {
  const plan = PLANS.get(config.architecture);
  if (plan === undefined) {
    const known = [...PLANS.keys()].join(', ');
    throw new UnsupportedError(
      `[plan] architecture ${config.architecture} has no plan, expected one of: ${known}`,
    );
  }
  return plan(config);
}
