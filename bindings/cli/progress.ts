// Progress of the long parts, on stderr: a bar that redraws itself on a terminal, plain lines elsewhere.

const MOST_BAR = 24;
/** Shorter, a bar says less than its number. */
const LEAST_BAR = 4;
/** Of a terminal that does not tell. */
const USUAL_COLUMNS = 80;
const REDRAW_MS = 80;
/** Plain lines come at these parts of the whole, and not for work that is done sooner than this. */
const LINE_EVERY = 0.25;
const QUIET_MS = 1000;

export interface ProgressStream {
  readonly isTTY?: boolean;
  /** Width of the terminal; 0 or none: unknown. */
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressStyle {
  /** No plain line comes before. */
  readonly quietMs?: number;
  /** TERM. */
  readonly terminal?: string | undefined;
}

export class ProgressBar {
  readonly #label: string;
  readonly #stream: ProgressStream;
  readonly #redraws: boolean;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #lineAt = 0;
  #drawn = false;
  readonly #quietUntil: number;

  constructor(
    label: string,
    stream: ProgressStream = process.stderr,
    { quietMs = QUIET_MS, terminal = process.env.TERM }: ProgressStyle = {},
  ) {
    this.#label = label;
    this.#stream = stream;
    // A dumb terminal, as an editor's may be, shows escapes as letters.
    this.#redraws = stream.isTTY === true && terminal !== 'dumb';
    this.#quietUntil = performance.now() + quietMs;
  }

  /** `done` of `total`, in any unit. */
  update(done: number, total: number): void {
    const part = total > 0 ? Math.min(done / total, 1) : 1;
    if (this.#redraws) {
      const now = performance.now();
      if (part < 1 && now - this.#drawnAt < REDRAW_MS) return;
      this.#drawnAt = now;
      this.#drawn = true;
      this.#stream.write(`\r\x1b[K${this.#line(part)}`);
    } else if (part >= this.#lineAt && performance.now() >= this.#quietUntil) {
      this.#lineAt = Math.floor(part / LINE_EVERY) * LINE_EVERY + LINE_EVERY;
      this.#stream.write(`${this.#label}${percent(part)}\n`);
    }
  }

  /** Clears the bar. */
  end(): void {
    if (this.#drawn) this.#stream.write('\r\x1b[K');
    this.#drawn = false;
  }

  /** Shorter than the terminal, whose last column would begin a new line: that is never redrawn. */
  #line(part: number): string {
    const room = Math.max(1, (this.#stream.columns || USUAL_COLUMNS) - 1);
    const number = percent(part);
    const width = Math.min(MOST_BAR, room - this.#label.length - number.length - ' []'.length);
    if (width < LEAST_BAR) {
      return `${this.#label.slice(0, Math.max(0, room - number.length))}${number}`.slice(-room);
    }
    const filled = Math.round(part * width);
    return `${this.#label} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}]${number}`;
  }
}

function percent(part: number): string {
  return `${Math.floor(part * 100)}%`.padStart(5);
}
