import { untilAborted } from '../platform/until_aborted.js';

/** Runs pieces of work one after another, in the order of the calls. A failed piece does not stop the next. */
export class TurnQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Runs `work` when all earlier work has ended.
   * @throws `signal.reason` at once if it is aborted before the work begins, which then never does
   */
  async run<T>(work: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const earlier = this.#last;
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#last = earlier.then(() => ended);
    try {
      await (signal ? untilAborted(earlier, signal) : earlier);
      return await work();
    } finally {
      end();
    }
  }
}
