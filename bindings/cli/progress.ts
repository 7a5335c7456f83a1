// Progress of the long parts, on stderr: a bar that redraws itself on a terminal, plain lines elsewhere.

const BAR_WIDTH = 24;
const REDRAW_MS = 80;
/** Plain lines come at these parts of the whole, and not for work that is done sooner than this. */
const LINE_EVERY = 0.25;
const QUIET_MS = 1000;

export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class ProgressBar {
  readonly #label: string;
  readonly #stream: ProgressStream;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #lineAt = 0;
  #drawn = false;
  readonly #quietUntil: number;

  /** @param quietMs no plain line comes before */
  constructor(label: string, stream: ProgressStream = process.stderr, quietMs = QUIET_MS) {
    this.#label = label;
    this.#stream = stream;
    this.#quietUntil = performance.now() + quietMs;
  }

  /** `done` of `total`, in any unit. */
  update(done: number, total: number): void {
    const part = total > 0 ? Math.min(done / total, 1) : 1;
    const percent = `${Math.floor(part * 100)}%`.padStart(5);
    if (this.#stream.isTTY) {
      const now = performance.now();
      if (part < 1 && now - this.#drawnAt < REDRAW_MS) return;
      this.#drawnAt = now;
      this.#drawn = true;
      const filled = Math.round(part * BAR_WIDTH);
      const bar = '#'.repeat(filled) + '.'.repeat(BAR_WIDTH - filled);
      this.#stream.write(`\r\x1b[K${this.#label} [${bar}]${percent}`);
    } else if (part >= this.#lineAt && performance.now() >= this.#quietUntil) {
      this.#lineAt = Math.floor(part / LINE_EVERY) * LINE_EVERY + LINE_EVERY;
      this.#stream.write(`${this.#label}${percent}\n`);
    }
  }

  /** Clears the bar. */
  end(): void {
    if (this.#drawn) this.#stream.write('\r\x1b[K');
    this.#drawn = false;
  }
}
