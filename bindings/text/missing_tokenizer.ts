import { FormatError } from '../errors.js';

/** @param location where the model was loaded from */
export function missingTokenizer(location: string): FormatError {
  const next = 'copy it there from where the model was published; sessions take token ids without';
  return new FormatError(`[${location}] tokenizer.json is missing: ${next}`);
}
