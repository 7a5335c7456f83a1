// Logits of a step for a token chooser that may take its time: other sessions' steps overwrite the executor's.

import type { SessionOwner } from './owner.js';

export class LogitsCopy {
  readonly #owner: SessionOwner;
  readonly #values: Float32Array;

  private constructor(owner: SessionOwner, values: Float32Array) {
    this.#owner = owner;
    this.#values = values;
  }

  /** Of the first row of the latest step that wanted any, before its turn is over. */
  static async take(owner: SessionOwner): Promise<LogitsCopy> {
    return new LogitsCopy(owner, (await owner.executor.logits(0)).slice());
  }

  logits(): Float32Array {
    return this.#values;
  }

  /** In the executor, in a turn of its own: whose exp it is decides the last bits. */
  softmax(_index: number, temperature: number): Promise<Float32Array> {
    const { executor, turns } = this.#owner;
    return turns.run(async () => {
      (await executor.logits(0)).set(this.#values);
      this.#values.set(await executor.softmax(0, temperature));
      return this.#values;
    });
  }
}
