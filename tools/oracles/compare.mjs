// Goldens beside what was made now: the same files, in JSON the same cases.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Numbers under this key are sums of floats, which differ a little from processor to processor. */
const NEAR = 'near';
const TOLERANCE = 1e-4;

/**
 * @param {string} goldens
 * @param {string} live
 * @returns {{ same: number, differences: string[] }} cases, and files that are no JSON
 */
export function compareFolders(goldens, live) {
  const files = new Set([...filesIn(goldens), ...filesIn(live)]);
  const verdicts = [...files].sort().flatMap((file) => {
    const [golden, made] = [join(goldens, file), join(live, file)];
    if (!existsSync(golden)) return [`${file}: no golden`];
    if (!existsSync(made)) return [`${file}: not made any more`];
    const [expected, came] = [readFileSync(golden), readFileSync(made)];
    if (/^[^/\\]+\.json$/.test(file)) return compareCases(file, parse(expected), parse(came));
    return [expected.equals(came) ? '' : `${file}: other bytes`];
  });
  const differences = verdicts.filter((verdict) => verdict !== '');
  return { same: verdicts.length - differences.length, differences };
}

/** @param {string} folder */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/**
 * @param {string} file
 * @param {Record<string, unknown>} goldens
 * @param {Record<string, unknown>} live
 */
function compareCases(file, goldens, live) {
  const names = new Set([...Object.keys(goldens), ...Object.keys(live)]);
  return [...names].map((name) => {
    if (same(goldens[name], live[name], '')) return '';
    const [expected, came] = [goldens[name], live[name]].map((one) => JSON.stringify(one));
    return `${file}, ${name}: expected ${shown(expected)}, came ${shown(came)}`;
  });
}

/**
 * @param {unknown} a
 * @param {unknown} b
 * @param {string} key
 * @returns {boolean}
 */
function same(a, b, key) {
  if (key === NEAR && typeof a === 'number' && typeof b === 'number') {
    return Math.abs(a - b) <= TOLERANCE;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  if (one.size !== other.size) return false;
  return [...one].every(([name, value]) => {
    return other.has(name) && same(value, other.get(name), Array.isArray(a) ? key : name);
  });
}

/** @param {string | undefined} json */
function shown(json = 'nothing') {
  return json.length > 300 ? `${json.slice(0, 300)}...` : json;
}

/** @param {Buffer} text */
function parse(text) {
  return JSON.parse(text.toString('utf8'));
}
