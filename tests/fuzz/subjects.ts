// All that reads what strangers wrote.

import type { Subject } from './subject.js';
import { config } from './subjects/config.js';
import { generate } from './subjects/generate.js';
import { generation } from './subjects/generation.js';
import { quantization } from './subjects/quantization.js';
import { compressRecipe } from './subjects/recipe.js';
import { safetensors } from './subjects/safetensors.js';
import { shards } from './subjects/shards.js';
import { chatMessages, template } from './subjects/template.js';
import { tokenizer } from './subjects/tokenizer.js';
import { commandWords } from './subjects/words.js';

export const subjects: readonly Subject[] = [
  safetensors,
  config,
  quantization,
  shards,
  generation,
  tokenizer,
  template,
  chatMessages,
  compressRecipe,
  generate,
  commandWords,
];
