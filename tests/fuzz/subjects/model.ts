// What all subjects of model files have in common: a draft becomes files, files become a model.

import type { TestRandom } from '../../support/random.js';
import { spoilBytes } from '../byte_damage.js';
import { type Draft, draftFiles, makeDraft, showFiles } from '../draft.js';
import { runModel } from '../oracle.js';
import { type Damage, repeatable, type Subject, subject } from '../subject.js';
import { Finding } from '../verdict.js';

export interface ModelSubject {
  readonly kind: string;
  readonly share: number;
  readonly damages: readonly Damage<Draft>[];
  readonly make?: (random: TestRandom) => Draft;
}

export function modelSubject({ kind, share, damages, make = makeDraft }: ModelSubject): Subject {
  return subject<Draft>({
    kind,
    share,
    damages,
    make,
    async run(draft, random, spoiled) {
      const verdict = await runModel(draftFiles(draft), random);
      if (spoiled || verdict === 'accepted') return verdict;
      throw new Finding('refused', 'a valid model was refused');
    },
    show: (draft) => showFiles(draftFiles(draft)),
  });
}

/** A fault in the bytes of one text of a directory. */
export function textFault(file: string): Damage<Draft> {
  return {
    name: `${file}: a fault in the text`,
    apply(draft, random) {
      const draw = repeatable(random);
      if (draft.layout === 'file') draft.layout = 'directory';
      draft.textEdits.set(file, (bytes) => spoilBytes(bytes, draw()));
    },
  };
}
