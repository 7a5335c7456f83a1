// `npm start [-- options of halfbyte generate]`: set-up, a model, a story. What the first run makes, later
// runs find in models/, without network.

import { join } from 'node:path';
import { ROOT } from './build/files.mjs';
import { runInPlace } from './in_place.mjs';
import { npmPack } from './npm.mjs';
import { setUp } from './setup.mjs';

const PREPARE = '../build/tools/stories/prepare.js';
const GENERATE = '../build/bindings/cli/generate.js';
const HELP = '../build/bindings/cli/help.js';
const OPTIONS = '../build/bindings/cli/options.js';
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
  if (!process.stderr.isTTY || process.env.TERM === 'dumb') clearInterval(clock);
  try {
    await npmPack(name, folder);
  } finally {
    clearInterval(clock);
    if (seconds > 0) process.stderr.write('\n');
  }
}

/**
 * Words of `halfbyte generate`; null where they ask for its help, which is printed. What is wrong with them shows
 * here, before a model is fetched.
 * @param {string[]} args the last of two wins
 * @returns {Promise<string[] | null>}
 */
async function storyWords(args) {
  const [{ generate }, { parseOptions }] = await Promise.all([import(GENERATE), import(OPTIONS)]);
  const options = parseOptions(generate.spec, ['MODEL', ...args]);
  if (options.has('help')) {
    const { commandHelp } = await import(HELP);
    process.stdout.write(`${commandHelp(generate.spec)}\n`);
    return null;
  }
  // A story reads better with its beginning.
  const beginning = options.has('chat') ? [] : ['--prompt', PROMPT, '--echo'];
  return [...beginning, ...DEFAULTS, ...args];
}

/** @param {string[]} args of `halfbyte generate` */
async function main(args) {
  await setUp();
  const words = await storyWords(args);
  if (words === null) return;
  const { prepareStories } = await import(PREPARE);
  const model = await prepareStories(join(ROOT, 'models'), { pack, report });
  const cli = join(ROOT, 'build', 'bindings', 'cli', 'main.js');
  process.exitCode = await runInPlace([cli, 'generate', model, ...words]);
}

await main(process.argv.slice(2)).catch((error) => {
  report(error.message);
  process.exitCode = error.code === 'OPTION' ? 2 : 1;
});
