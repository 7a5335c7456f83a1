// Stop strings over streamed text. Text that may be the beginning of a stop string is held back, so
// what was given out never has to be taken back.

import { OptionError, show } from '../errors.js';

export class StopMatcher {
  readonly #stops: readonly string[];
  #held = '';
  #matched: string | null = null;

  /** @throws OptionError for an empty stop string, or what is none */
  constructor(stops: readonly string[]) {
    if (!Array.isArray(stops))
      throw new OptionError(`[stop] expected strings, came ${show(stops)}`);
    for (const [i, stop] of stops.entries()) {
      if (typeof stop === 'string' && stop !== '') continue;
      const came = stop === '' ? 'an empty one' : show(stop);
      throw new OptionError(`[stop] ${i + 1} of ${stops.length}: expected a text, came ${came}`);
    }
    this.#stops = stops;
  }

  /** The stop string that was met, null until then. */
  get matched(): string | null {
    return this.#matched;
  }

  /**
   * Text to give out. Once a stop string is complete: the text before it, and nothing from then on.
   * Of several, the one that is complete first counts; of those, the one that began first.
   */
  push(text: string): string {
    if (this.#matched !== null) return '';
    const all = this.#held + text;
    let end = Number.POSITIVE_INFINITY;
    for (const stop of this.#stops) {
      const at = all.indexOf(stop);
      if (at < 0) continue;
      const longer = stop.length > (this.#matched?.length ?? 0);
      if (at + stop.length > end || (at + stop.length === end && !longer)) continue;
      end = at + stop.length;
      this.#matched = stop;
    }
    if (this.#matched !== null) {
      this.#held = '';
      return all.slice(0, end - (this.#matched as string).length);
    }
    const kept = Math.max(0, ...this.#stops.map((stop) => overlap(all, stop)));
    this.#held = all.slice(all.length - kept);
    return all.slice(0, all.length - kept);
  }

  /** What is held back, at the end of the text. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
}

/** Length of the longest end of `text` that is a beginning of `stop`, but not all of it. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
