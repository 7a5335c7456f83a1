// Writes the inputs that both sides need into a folder: `node inputs.js FOLDER`.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHATS } from './conversations.js';
import { STAGES } from './stages.js';
import { generatedIds, generatedTexts, SHORT_TEXTS } from './texts.js';

const INPUTS: Readonly<Record<string, unknown>> = {
  texts: { short: SHORT_TEXTS, generated: generatedTexts(), ids: generatedIds() },
  chats: CHATS,
  stages: STAGES,
};

const folder = process.argv[2]!;
mkdirSync(folder, { recursive: true });
for (const [name, value] of Object.entries(INPUTS)) {
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(value));
}
