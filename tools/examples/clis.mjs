// examples/node.mjs and examples/deno.ts: the same story from both.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MODULES } from '../everywhere/clis.mjs';
import { run } from '../everywhere/processes.mjs';
import { expect } from './checks.mjs';
import { APP } from './prepare.mjs';

const TIME_LIMIT_MS = 120_000;
export const PROMPT = 'Once upon a time';

/** @param {string} model */
export function nodeStory(model) {
  return story(process.execPath, ['node.mjs', model, PROMPT]);
}

/** @param {string} model */
export function denoStory(model) {
  const deno = join(MODULES, '@deno', 'linux-x64-glibc', 'deno');
  return story(deno, ['run', '--check', '--allow-read', 'deno.ts', model, PROMPT]);
}

/**
 * What a program prints, without the prompt and the last line's end.
 * @param {string} command
 * @param {string[]} args
 */
async function story(command, args) {
  expect(existsSync(command), `missing: ${command}`);
  const env = { DENO_DIR: join(APP, '.deno'), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' };
  const { code, stdout, stderr } = await run(command, args, { cwd: APP, env, ms: TIME_LIMIT_MS });
  expect(code === 0, `ended with ${code}: ${stderr.slice(-1000)}`);
  expect(stdout.startsWith(PROMPT) && stdout.endsWith('\n'), `came ${JSON.stringify(stdout)}`);
  return stdout.slice(PROMPT.length, -1);
}
