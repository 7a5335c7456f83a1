// Runtimes that are a command: Node, Deno, Bun.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { APP } from './app.mjs';
import { run } from './processes.mjs';
import { reportOf } from './reports.mjs';

export const MODULES = join(ROOT, 'tools', 'runtimes', 'node_modules');
const TIME_LIMIT_MS = 120_000;

/**
 * @param {string} path of the program, below tools/runtimes/node_modules
 * @param {string[]} args before the script
 * @param {string} [script]
 */
export async function runCli(path, args = [], script = join(APP, 'files_main.mjs')) {
  const command = join(MODULES, path);
  if (!existsSync(command)) throw new Error(`missing: ${command}`);
  const env = { DENO_DIR: join(APP, '.deno'), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' };
  return reportOf(await run(command, [...args, script], { cwd: APP, env, ms: TIME_LIMIT_MS }));
}
