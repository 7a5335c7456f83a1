// Files on disk: what is no file, and what changes while it is read.

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  renameSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { mkdtemp, open, rm, symlink, utimes } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/index.js';
import { inspectModel } from '../../bindings/inspect.js';
import { loadModel } from '../../bindings/load.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { fileKind } from '../../bindings/platform/node.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ dir: string; weights: string }>('disk');

test.before.each(async (context) => {
  context.dir = await writeTinyLlama(await mkdtemp(join(tmpdir(), 'halfbyte-disk-')));
  context.weights = join(context.dir, 'model.safetensors');
  // The clock of a file system is coarse.
  await utimes(context.weights, OLD, OLD);
});
test.after.each(({ dir }) => rm(dir, { recursive: true }));

const OLD = new Date('2020-01-01');
/** Far longer than it takes. */
const HANGS_MS = 20_000;

/** Refused, and at once: whoever opens a pipe waits for its other end. */
async function refused(path: string, location: string, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Error(`${path}: opening it hangs`);
  const tooLong = new Promise((resolve) => {
    timer = setTimeout(resolve, HANGS_MS, hangs);
  });
  const opened = openCheckpoint(location).then((checkpoint) => checkpoint.close());
  const outcome = await Promise.race([opened.catch((error) => error), tooLong]);
  clearTimeout(timer);
  if (outcome === hangs) await (await open(path, 'r+')).close();
  await raises(() => Promise.reject(outcome), 'SOURCE', [path, 'expected a file', what]);
}

for (const name of ['model.safetensors', 'config.json', 'chat_template.jinja']) {
  test(`a pipe, a device and a directory as ${name} are refused`, async ({ dir }) => {
    const path = join(dir, name);
    await rm(path, { force: true });
    execFileSync('mkfifo', [path]);
    await refused(path, dir, 'a pipe');
    await rm(path);
    await symlink('/dev/zero', path);
    await refused(path, dir, 'a device');
    await rm(path);
    execFileSync('mkdir', [path]);
    await refused(path, dir, 'a directory');
  });
}

test('a pipe as the one file of a model is refused, and so is a socket', async ({ weights }) => {
  await rm(weights);
  execFileSync('mkfifo', [weights]);
  await refused(weights, weights, 'a pipe');
  await rm(weights);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(weights, resolve));
  await refused(weights, weights, 'a socket');
  await new Promise((resolve) => server.close(resolve));
});

/** What may happen to the files of a model while its weights are read. */
const CHANGES: readonly [name: string, change: (dir: string) => string, what: string][] = [
  ['weights that are written over', writtenOver, 'mtimeMs'],
  ['weights that are put in the place of others', replaced, 'ino'],
  ['weights that grow', (dir) => appended(join(dir, 'model.safetensors')), 'size'],
  ['a config that changes', (dir) => appended(join(dir, 'config.json')), 'size'],
];

for (const [name, change, what] of CHANGES) {
  test(`a load ends for ${name} under it`, async ({ dir }) => {
    let path = '';
    const onProgress = () => {
      path ||= change(dir);
    };
    const load = () => loadModel(dir, { threads: 1, onProgress });
    await raises(load, 'SOURCE', ['changed while it was read', what]);
    assert.ok(path.startsWith(dir));
  });
}

test('weights that change while they are compressed leave nothing behind', async ({ dir }) => {
  const out = join(dir, 'out');
  const onProgress = () => void writtenOver(dir);
  await raises(() => compressModel(dir, out, { scheme: 'int8', onProgress }), 'SOURCE', [
    join(dir, 'model.safetensors'),
    'changed while it was read',
  ]);
  assert.is(await fileKind(out), null);
});

function writtenOver(dir: string): string {
  const path = join(dir, 'model.safetensors');
  const file = openSync(path, 'r+');
  writeSync(file, Uint8Array.of(1), 0, 1, 100_000);
  closeSync(file);
  return path;
}

/** By a copy of the same size and date. */
function replaced(dir: string): string {
  const path = join(dir, 'model.safetensors');
  copyFileSync(path, `${path}.new`);
  utimesSync(`${path}.new`, OLD, OLD);
  renameSync(`${path}.new`, path);
  return path;
}

function appended(path: string): string {
  appendFileSync(path, ' ');
  return path;
}

test('a relative path means the same file when the process goes elsewhere', async ({ dir }) => {
  const before = process.cwd();
  try {
    process.chdir(dir);
    const onProgress = () => process.chdir(before);
    await (await loadModel('model.safetensors', { threads: 1, onProgress })).dispose();
  } finally {
    process.chdir(before);
  }
});

test('a file URL of another machine, or that names no path, is refused by name', async () => {
  for (const url of ['file://host/model', 'file:///a%2Fb', 'file:///%ff']) {
    await raises(() => loadModel(url), 'OPTION', [url, 'this machine']);
    await raises(() => loadModel(new URL(url)), 'OPTION', [url]);
    await raises(() => inspectModel(url), 'OPTION', [url]);
  }
});

test.run();
