// A test file that runs for long says so now and then on stderr, and how far it is if it tells.

const EVERY_MS = 15_000;

export class LifeSigns {
  #heard = '';
  #timer;

  /**
   * @param {string} name of the file
   * @param {{ write(text: string): unknown }} [stream]
   * @param {number} [everyMs]
   */
  constructor(name, stream = process.stderr, everyMs = EVERY_MS) {
    const started = performance.now();
    this.#timer = setInterval(() => {
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      stream.write(`${name}: running for ${seconds} s${this.#latest()}\n`);
    }, everyMs);
  }

  /**
   * Takes what the file writes to its stderr.
   * @param {string} text
   */
  hear(text) {
    this.#heard = (this.#heard + text).slice(-1000);
  }

  end() {
    clearInterval(this.#timer);
  }

  /** The last whole line heard. */
  #latest() {
    const line = this.#heard.split('\n').slice(0, -1).at(-1)?.trim();
    return line ? `; ${line}` : '';
  }
}
