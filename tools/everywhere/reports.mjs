// What a runtime has to say, and what is made of it.

/**
 * @typedef {object} Report what tests/everywhere/suite.ts returns
 * @property {number} passed
 * @property {number} failed
 * @property {string} hash
 * @property {Record<string, string>} hashes
 * @property {{ runtime: string, simd: string, threads: boolean, refusals: string[] }} features
 * @property {{ before: number, after: number, loaded: number }} [memory]
 * @property {{ test: string, message: string }[]} failures
 * @property {number} ms
 */

/**
 * The report that a program printed.
 * @param {import('./processes.mjs').Outcome} outcome
 * @returns {Report}
 */
export function reportOf({ code, stdout, stderr }) {
  const line = stdout.split('\n').find((text) => text.startsWith('REPORT '));
  if (code === 0 && line !== undefined) return JSON.parse(line.slice('REPORT '.length));
  const last = `${stdout}\n${stderr}`.trim().split('\n').slice(-12).join('\n');
  throw new Error(`ended with ${code} and ${line ? 'a' : 'no'} report; its last lines:\n${last}`);
}
