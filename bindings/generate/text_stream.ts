import type { StopMatcher } from '../text/stop_matcher.js';
import { StreamDecoder } from '../text/stream_decoder.js';
import type { Tokenizer } from '../text/tokenizer.js';

/** A word's leading space depends on there being a word before it, so decoding begins within the prompt. */
const PROMPT_TAIL = 8;

/** Tokens to text that is final: no half characters, nothing of a stop string. */
export class TextStream {
  /** All text given out. */
  all = '';
  readonly #decoder: StreamDecoder;
  readonly #stops: StopMatcher;

  constructor(tokenizer: Tokenizer, prompt: readonly number[], stops: StopMatcher) {
    this.#decoder = new StreamDecoder(tokenizer);
    this.#stops = stops;
    for (const token of prompt.slice(-PROMPT_TAIL)) this.#decoder.push(token);
  }

  push(token: number): string {
    return this.#give(this.#stops.push(this.#decoder.push(token)));
  }

  /** What was held back. */
  end(): string {
    if (this.#stops.matched !== null) return '';
    const rest = this.#stops.push(this.#decoder.flush());
    return this.#give(this.#stops.matched === null ? rest + this.#stops.flush() : rest);
  }

  #give(text: string): string {
    this.all += text;
    return text;
  }
}
