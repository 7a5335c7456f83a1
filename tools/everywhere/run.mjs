// `npm run test:everywhere [part of a runtime's name ...]`: tests/everywhere/ in every runtime. Installs what
// npm can bring; browsers must be there. The last line is `N passed, N failed`; a runtime that is missing has
// failed.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setUp, setUpEveryRuntime } from '../setup.mjs';
import { APP, makeApp } from './app.mjs';
import { runBrowser } from './browsers.mjs';
import { runCli } from './clis.mjs';
import { table } from './table.mjs';

/** @typedef {import('./reports.mjs').Report} Report */

/**
 * What a runtime must offer: a run that finds less has failed, and so has one that finds more, as then the
 * documentation is wrong.
 * @typedef {object} Runtime
 * @property {string} name
 * @property {'baseline' | 'relaxed'} simd
 * @property {boolean} threads
 * @property {() => Promise<Report>} run
 */

/** The suite on `halfbyte/inline`: nothing is loaded from beside the script. */
const INLINE = join(APP, 'inline_main.mjs');
const HERE = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const node = (/** @type {number} */ major) => runCli(`node${major}/bin/node`);
const host = (/** @type {string} */ script) => runCli('node20/bin/node', [], join(HERE, script));

/** @type {Runtime[]} */
const RUNTIMES = [
  { name: 'Node 20', simd: 'baseline', threads: true, run: () => node(20) },
  { name: 'Node 22', simd: 'relaxed', threads: true, run: () => node(22) },
  { name: 'Node 24', simd: 'relaxed', threads: true, run: () => node(24) },
  { name: 'Node 26', simd: 'relaxed', threads: true, run: () => node(26) },
  {
    name: 'Deno',
    simd: 'relaxed',
    threads: true,
    run: () => runCli('@deno/linux-x64-glibc/deno', ['run', '-A']),
  },
  {
    name: 'Bun',
    simd: 'relaxed',
    threads: true,
    run: () => runCli('@oven/bun-linux-x64/bin/bun'),
  },
  {
    name: 'Node 24, inline',
    simd: 'relaxed',
    threads: true,
    run: () => runCli('node24/bin/node', [], INLINE),
  },
  {
    name: 'Deno, inline',
    simd: 'relaxed',
    threads: true,
    run: () => runCli('@deno/linux-x64-glibc/deno', ['run', '-A'], INLINE),
  },
  {
    name: 'Bun, inline',
    simd: 'relaxed',
    threads: true,
    run: () => runCli('@oven/bun-linux-x64/bin/bun', [], INLINE),
  },
  { name: 'workerd', simd: 'relaxed', threads: false, run: () => host('workerd_host.mjs') },
  { name: 'edge-runtime', simd: 'baseline', threads: false, run: () => host('edge_host.mjs') },
  ...browser('Chromium', 'chromium', 'relaxed'),
  ...browser('Firefox', 'firefox', 'relaxed'),
  ...browser('WebKitGTK', 'webkit', 'baseline'),
  {
    name: 'Chromium, isolated, inline',
    simd: 'relaxed',
    threads: true,
    run: () => runBrowser('chromium', true, 'inline.html'),
  },
];

/**
 * @param {string} name
 * @param {'chromium' | 'firefox' | 'webkit'} program
 * @param {'baseline' | 'relaxed'} simd
 * @returns {Runtime[]}
 */
function browser(name, program, simd) {
  return [
    { name: `${name}, isolated`, simd, threads: true, run: () => runBrowser(program, true) },
    { name, simd, threads: false, run: () => runBrowser(program, false) },
  ];
}

/**
 * @param {Runtime} runtime
 * @param {string | undefined} hash what the runtimes before it found
 */
async function check({ simd, threads, run }, hash) {
  try {
    const report = await run();
    const faults = report.failures.map(({ test, message }) => `${test}: ${message}`);
    const { features } = report;
    if (features.simd !== simd) faults.push(`SIMD: expected ${simd}, came ${features.simd}`);
    if (features.threads !== threads) {
      faults.push(`threads: expected ${threads}, came ${features.threads}`);
    }
    if (hash !== undefined && report.hash !== hash) {
      const hashes = JSON.stringify(report.hashes, null, 2);
      faults.push(`hash: expected ${hash}, came ${report.hash} of ${hashes}`);
    }
    // Three more than the suite's own: SIMD, threads and the hash.
    return { report, passed: report.passed + report.failed + 3 - faults.length, faults };
  } catch (error) {
    return { report: null, passed: 0, faults: [/** @type {Error} */ (error).message] };
  }
}

async function main() {
  const filters = process.argv.slice(2).map((filter) => filter.toLowerCase());
  const chosen = RUNTIMES.filter(
    ({ name }) =>
      filters.length === 0 || filters.some((filter) => name.toLowerCase().includes(filter)),
  );
  if (chosen.length === 0) throw new Error(`[everywhere] no runtime matches ${filters.join(', ')}`);
  await setUp();
  setUpEveryRuntime();
  await makeApp();
  let passed = 0;
  let failed = 0;
  let hash;
  const rows = [];
  for (const runtime of chosen) {
    const started = performance.now();
    const outcome = await check(runtime, hash);
    hash ??= outcome.report?.hash;
    passed += outcome.passed;
    failed += outcome.faults.length;
    rows.push({ name: runtime.name, ...outcome });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const verdict = outcome.faults.length > 0 ? `, ${outcome.faults.length} FAILED` : '';
    process.stdout.write(`${runtime.name}: ${outcome.passed} passed${verdict} (${seconds} s)\n`);
    const memory = outcome.report?.memory;
    if (memory) {
      const mb = (/** @type {number} */ bytes) => `${Math.round(bytes / 2 ** 20)} MB`;
      process.stdout.write(
        `  ${mb(memory.loaded)} of models loaded and disposed: the browser takes ${mb(memory.before)}, then ${mb(memory.after)}\n`,
      );
    }
    for (const fault of outcome.faults)
      process.stdout.write(`  ${fault.replaceAll('\n', '\n  ')}\n`);
  }
  const text = table(rows);
  writeFileSync(join(APP, 'table.md'), text);
  process.stdout.write(`\n${text}\n${passed} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
