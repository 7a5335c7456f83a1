// A model of the least size whose texts are given: for what reads texts, not weights.

import { loadModel, type Model } from '../../bindings/index.js';
import type { TestRandom } from '../support/random.js';
import { type Draft, type Files, makeDraft } from './draft.js';

/** Room for the texts that are drawn. */
const CONTEXT = 1024;

/** Loads the model for `use`. */
export async function withTextModel(
  files: Uint8Array | Files,
  use: (model: Model) => Promise<void>,
): Promise<void> {
  const model = await loadModel(files, { threads: 1 });
  try {
    await use(model);
  } finally {
    await model.dispose();
  }
}

/** A model with these texts as the files of a directory. */
export function textDraft(random: TestRandom, texts: Partial<Draft>): Draft {
  const draft = makeDraft(random, ['float']);
  const config = { root: { ...(draft.config.root as object), max_position_embeddings: CONTEXT } };
  return { ...draft, config, layout: 'directory', ...texts };
}
