// Checks that count.

export class Checks {
  passed = 0;
  failed = 0;

  /**
   * Passes unless `work` throws; what it returns, if it is a text, is printed.
   * @param {string} name
   * @param {() => unknown} work
   */
  async check(name, work) {
    const started = performance.now();
    try {
      const note = await work();
      this.passed++;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const words = typeof note === 'string' ? `: ${note}` : '';
      process.stdout.write(`ok  ${name}${words} (${seconds} s)\n`);
    } catch (error) {
      this.failed++;
      const { message } = /** @type {Error} */ (error);
      process.stdout.write(`FAILED  ${name}: ${message.replaceAll('\n', '\n  ')}\n`);
    }
  }
}

/**
 * @param {unknown} condition
 * @param {string} message
 * @returns {asserts condition}
 */
export function expect(condition, message) {
  if (!condition) throw new Error(message);
}
