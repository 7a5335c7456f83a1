// What an archive must hold, and what not.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from '../examples/checks.mjs';

/** @param {string} folder of the unpacked archive */
export function expectNamedFiles(folder) {
  const { bin, exports, imports } = readManifest(folder);
  const named = paths({ bin, exports, imports });
  expect(named.length > 30, `expected more than 30 paths in package.json, came ${named.length}`);
  const missing = [...named, 'README.md', 'LICENSE'].filter(
    (path) => !existsSync(join(folder, path)),
  );
  expect(missing.length === 0, `missing: ${missing.join(', ')}`);
}

/** @param {string} folder */
export function expectNothingSpare(folder) {
  const files = filesOf(folder);
  const spare = files.filter((path) =>
    /core\.debug|\.tsbuildinfo$|(?<!\.d)\.[cm]?ts$|\.test\./.test(path),
  );
  expect(spare.length === 0, `spare: ${spare.join(', ')}`);
  const bytes = files.reduce((sum, path) => sum + readFileSync(join(folder, path)).length, 0);
  return `${files.length} files, ${bytes} bytes`;
}

/**
 * A script that names a map has it, and a map has its sources.
 * @param {string} folder
 */
export function expectWholeMaps(folder) {
  const files = filesOf(folder);
  const maps = files.filter((path) => path.endsWith('.map'));
  for (const path of files.filter((path) => path.endsWith('.js'))) {
    const text = readFileSync(join(folder, path), 'utf8');
    const name = /^\/\/# sourceMappingURL=(?!data:)(.+)$/m.exec(text)?.[1];
    expect(!name || existsSync(join(folder, dirname(path), name)), `${path}: ${name} is missing`);
  }
  for (const path of maps) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(folder, path), 'utf8'));
    const whole = sources.every(
      (/** @type {string} */ source, /** @type {number} */ i) =>
        sourcesContent?.[i] || existsSync(join(folder, dirname(path), source)),
    );
    expect(whole, `${path}: has no source`);
  }
  return `${maps.length} maps`;
}

/** @param {string} folder */
export function expectWorkingLinks(folder) {
  const text = readFileSync(join(folder, 'README.md'), 'utf8');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)|\b(?:href|src)="([^"]+)"/g)].map(
    ([, markdown, html]) => /** @type {string} */ (markdown ?? html),
  );
  const broken = links.filter((link) => {
    const [path = ''] = link.split('#');
    return !/^[a-z]+:/.test(link) && path !== '' && !existsSync(join(folder, path));
  });
  expect(broken.length === 0, `README.md links to what is not there: ${broken.join(', ')}`);
  return `${links.length} links`;
}

/** @param {string} folder */
export function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** @param {string} folder */
function filesOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/**
 * All texts in `value` that are paths.
 * @param {unknown} value
 * @returns {string[]}
 */
function paths(value) {
  if (typeof value === 'string') return /^(\.\/)?build\//.test(value) ? [value] : [];
  return Object.values(/** @type {object} */ (value)).flatMap(paths);
}
