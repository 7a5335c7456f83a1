// The plan of a model by its architecture: one file and one line here, one in model/architectures.ts.

import type { Architecture } from '../model/architectures.js';
import type { ModelConfig } from '../model/config.js';
import { planLlama } from './llama.js';
import type { Plan } from './ops.js';

const PLANS: Readonly<Record<Architecture, (config: ModelConfig) => Plan>> = {
  LlamaForCausalLM: planLlama,
};

export function planFor(config: ModelConfig): Plan {
  return PLANS[config.architecture](config);
}
