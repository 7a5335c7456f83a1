// Progress of the long parts, on stderr: a bar that redraws itself on a terminal, plain lines elsewhere. Both say how
// long it will take yet, once that can be told.

const MOST_BAR = 24;
/** Shorter, a bar says less than its number. */
const LEAST_BAR = 4;
/** Of a terminal that does not tell. */
const USUAL_COLUMNS = 80;
const REDRAW_MS = 80;
/** Plain lines come at these parts of the whole, and not for work that is done sooner than this. */
const LINE_EVERY = 0.25;
const QUIET_MS = 1000;
/** The time left is told once so long has been measured, and so much is left. */
const MEASURED_MS = 2000;

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
  /** Milliseconds of a clock. */
  readonly now?: () => number;
}

export class ProgressBar {
  readonly #label: string;
  readonly #stream: ProgressStream;
  readonly #redraws: boolean;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #lineAt = 0;
  #drawn = false;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #quietMs: number;

  constructor(
    label: string,
    stream: ProgressStream = process.stderr,
    {
      quietMs = QUIET_MS,
      terminal = process.env.TERM,
      now = () => performance.now(),
    }: ProgressStyle = {},
  ) {
    this.#label = label;
    this.#stream = stream;
    // A dumb terminal, as an editor's may be, shows escapes as letters.
    this.#redraws = stream.isTTY === true && terminal !== 'dumb';
    this.#now = now;
    this.#startedAt = now();
    this.#quietMs = quietMs;
  }

  /** `done` of `total`, in any unit. */
  update(done: number, total: number): void {
    const part = total > 0 ? Math.min(done / total, 1) : 1;
    const now = this.#now();
    if (this.#redraws) {
      if (part < 1 && now - this.#drawnAt < REDRAW_MS) return;
      this.#drawnAt = now;
      this.#drawn = true;
      this.#stream.write(`\r\x1b[K${this.#line(part)}`);
    } else if (part >= this.#lineAt && now >= this.#startedAt + this.#quietMs) {
      this.#lineAt = Math.floor(part / LINE_EVERY) * LINE_EVERY + LINE_EVERY;
      this.#stream.write(`${this.#label}${percent(part)}${this.#timeLeft(part)}\n`);
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
    const left = this.#timeLeft(part);
    const fits = this.#label.length + LEAST_BAR + ' []100%'.length + left.length <= room;
    const number = percent(part) + (fits ? left : '');
    const width = Math.min(MOST_BAR, room - this.#label.length - number.length - ' []'.length);
    if (width < LEAST_BAR) {
      return `${this.#label.slice(0, Math.max(0, room - number.length))}${number}`.slice(-room);
    }
    const filled = Math.round(part * width);
    return `${this.#label} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}]${number}`;
  }

  /** At the speed so far; nothing while that says little. */
  #timeLeft(part: number): string {
    const passed = this.#now() - this.#startedAt;
    const left = (passed * (1 - part)) / part;
    if (part === 0 || passed < MEASURED_MS || left < MEASURED_MS) return '';
    return `, ${duration(left)} left`;
  }
}

/** `42 s`, `7 min 5 s`, `2 h 10 min`. */
function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function percent(part: number): string {
  return `${Math.floor(part * 100)}%`.padStart(5);
}
