// What the steps of a generation took.

export interface StepTimings {
  /** From the call to the first token, or to the end of the prompt if none was asked for. */
  readonly firstTokenMs: number;
  /** Prompt tokens fed, those that a session held already not counted; 0 if there were none. */
  readonly prefillTokensPerSecond: number;
  /** Of the tokens after the first; 0 if there were none. */
  readonly decodeTokensPerSecond: number;
}

/** Times the steps; what the caller does between tokens does not count. */
export class Clock {
  readonly #called: number;
  readonly #promptTokens: number;
  #started: number;
  #firstTokenMs = 0;
  #prefillMs = 0;
  #decodeMs = 0;
  #steps = 0;

  constructor(called: number, promptTokens: number) {
    this.#called = called;
    this.#promptTokens = promptTokens;
    this.#started = performance.now();
  }

  start(): void {
    this.#started = performance.now();
  }

  stop(): void {
    const now = performance.now();
    if (this.#steps++ === 0) {
      this.#firstTokenMs = now - this.#called;
      this.#prefillMs = now - this.#started;
    } else {
      this.#decodeMs += now - this.#started;
    }
  }

  timings(): StepTimings {
    return {
      firstTokenMs: this.#firstTokenMs,
      prefillTokensPerSecond: perSecond(this.#promptTokens, this.#prefillMs),
      decodeTokensPerSecond: perSecond(this.#steps - 1, this.#decodeMs),
    };
  }
}

function perSecond(count: number, ms: number): number {
  return count > 0 && ms > 0 ? (count * 1000) / ms : 0;
}
