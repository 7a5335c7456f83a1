// What others do to OUT while a model is compressed: nothing of theirs is lost, and nothing of ours is left.

import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import fs, {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import { SourceError } from '../../bindings/errors.js';
import { publishDirectory, publishFile } from '../../bindings/platform/node.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ dir: string; model: string }>('output');

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-output-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'));
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

const NAMES = ['out', 'out.safetensors'];
const isFile = (out: string) => out.endsWith('.safetensors');
const SAME = 'expected the same as before the work';

/** Compresses, and calls `meanwhile` once while it does. */
function compressWhile(model: string, out: string, meanwhile: () => void, force = false) {
  let called = false;
  const onProgress = () => {
    if (!called) meanwhile();
    called = true;
  };
  return compressModel(model, out, { scheme: 'int4', force, onProgress });
}

/** All that lies in `dir`, with the texts of small files. */
async function tree(dir: string): Promise<Record<string, unknown>> {
  const entries = await readdir(dir, { withFileTypes: true });
  const listed = entries.map(async (entry): Promise<[string, unknown]> => {
    const path = join(dir, entry.name);
    if (entry.isSymbolicLink()) return [entry.name, `-> ${await readlink(path)}`];
    if (entry.isDirectory()) return [entry.name, await tree(path)];
    const bytes = await readFile(path);
    return [entry.name, bytes.length > 100 ? bytes.length : bytes.toString()];
  });
  return Object.fromEntries((await Promise.all(listed)).sort());
}

/** Replaces functions of node:fs/promises, also where they were imported by name. */
async function withFiles<T>(replacements: Partial<typeof fs>, run: () => Promise<T>): Promise<T> {
  const originals = { ...fs };
  try {
    Object.assign(fs, replacements);
    syncBuiltinESMExports();
    return await run();
  } finally {
    Object.assign(fs, originals);
    syncBuiltinESMExports();
  }
}

const noHardLinks: Partial<typeof fs> = {
  async link() {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
  },
};

const FOREIGN: [string, (path: string) => void, unknown][] = [
  ['a file', (path) => writeFileSync(path, 'theirs'), 'theirs'],
  ['an empty directory', (path) => mkdirSync(path), {}],
  [
    'a directory that holds something',
    (path) => {
      mkdirSync(path);
      writeFileSync(join(path, 'notes.txt'), 'theirs');
    },
    { 'notes.txt': 'theirs' },
  ],
];

for (const out of NAMES) {
  for (const [what, make, content] of FOREIGN) {
    for (const links of isFile(out) ? [true, false] : [true]) {
      const where = `${out}${links ? '' : ', no hard links'}`;
      for (const force of [false, true]) {
        test(`${what} that comes meanwhile stays (${where}, force ${force})`, async (context) => {
          const { dir, model } = context;
          const path = join(dir, out);
          const before = await tree(dir);
          const compress = () => compressWhile(model, path, () => make(path), force);
          await withFiles(links ? {} : noHardLinks, () => {
            return raises(compress, 'SOURCE', [path, SAME]);
          });
          assert.equal(await tree(dir), { ...before, [out]: content });
        });
      }
    }
  }

  test(`without hard links ${out} is written whole`, async ({ dir, model }) => {
    await compressModel(model, join(dir, 'expected'), { scheme: 'int4' });
    await compressModel(model, join(dir, 'expected.safetensors'), { scheme: 'int4' });
    const path = join(dir, `other-${out}`);
    for (const force of [false, true]) {
      await withFiles(noHardLinks, () => compressModel(model, path, { scheme: 'int4', force }));
      const all = await tree(dir);
      assert.equal(all[`other-${out}`], all[`expected${isFile(out) ? '.safetensors' : ''}`]);
      assert.is(Object.keys(all).length, 4, Object.keys(all).join());
    }
  });

  for (const force of [false, true]) {
    test(`of two compressions to ${out} one wins (force ${force})`, async ({ dir, model }) => {
      const path = join(dir, out);
      if (force) await compressModel(model, path, { scheme: 'int8' });
      const options = { scheme: 'int4', force };
      const both = await Promise.allSettled([
        compressModel(model, path, options),
        compressModel(model, path, options),
      ]);
      const lost = both.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      if (lost.length > 1) throw new AggregateError(lost, 'none won');
      assert.is(lost.length, 1);
      assert.instance(lost[0], SourceError);
      assert.ok(lost[0].message.includes(path), lost[0].message);
      const won = await tree(dir);
      assert.equal(Object.keys(won).sort(), ['model', out]);
      await compressModel(model, path, { ...options, force: true });
      assert.equal(await tree(dir), won);
    });
  }

  test(`${out} as a link to nothing is refused before the work`, async ({ dir, model }) => {
    const path = join(dir, out);
    await symlink('nowhere', path);
    const before = await tree(dir);
    for (const force of [false, true]) {
      const compress = () => compressWhile(model, path, () => assert.unreachable(), force);
      await raises(compress, 'OPTION', [path, 'a link to nothing']);
    }
    assert.equal(await tree(dir), before);
  });

  test(`${out} that may not be written is refused before the work`, async ({ dir, model }) => {
    const path = join(dir, out);
    if (isFile(out)) await writeFile(path, 'old');
    else await mkdir(path);
    const before = await tree(dir);
    const denied: Partial<typeof fs> = {
      async access() {
        throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
      },
    };
    const compress = () => compressWhile(model, path, () => assert.unreachable(), isFile(out));
    await withFiles(denied, () => raises(compress, 'SOURCE', [path, 'cannot write', 'EACCES']));
    assert.equal(await tree(dir), before);
  });
}

test('what is no file and no directory is never replaced', async ({ dir, model }) => {
  const path = join(dir, 'out.safetensors');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const compress = () => compressModel(model, path, { scheme: 'int4', force: true });
  await raises(compress, 'OPTION', [path, 'no file or directory']);
  assert.ok((await readdir(dir)).includes('out.safetensors'));
  server.close();
});

test('a mount point, which cannot be renamed, is refused before the work', async (context) => {
  const { dir, model } = context;
  const path = join(dir, 'out');
  await mkdir(path);
  const { lstat } = fs;
  const mounted = {
    async lstat(of: string, options: { bigint: true }) {
      const found = await lstat(of, options);
      if (of === path) found.dev += 1n;
      return found;
    },
  } as Partial<typeof fs>;
  const compress = () => compressWhile(model, path, () => assert.unreachable());
  await withFiles(mounted, () => raises(compress, 'OPTION', [path, 'mount point']));
});

test('with force: a file that comes into OUT meanwhile stays, with all that was there', async ({
  dir,
  model,
}) => {
  const path = join(dir, 'out');
  for (const name of ['notes.txt', 'tokenizer.json']) {
    await compressModel(model, path, { scheme: 'int8', force: true });
    const before = await tree(dir);
    const make = () => writeFileSync(join(path, name), 'theirs');
    await raises(() => compressWhile(model, path, make, true), 'SOURCE', [path, SAME]);
    assert.equal(await tree(dir), {
      ...before,
      out: { ...(before['out'] as object), [name]: 'theirs' },
    });
    await rm(join(path, name));
  }
});

for (const out of NAMES) {
  const path = (dir: string) => join(dir, out);

  test(`with force: what comes to ${out} at the last moment is put back`, async (context) => {
    const { dir, model } = context;
    await compressModel(model, path(dir), { scheme: 'int8' });
    const before = await tree(dir);
    const theirs = isFile(out) ? path(dir) : join(path(dir), 'notes.txt');
    const { rename } = fs;
    const files: Partial<typeof fs> = {
      async rename(from, to) {
        if (from === path(dir)) writeFileSync(theirs, 'theirs');
        return rename(from, to);
      },
    };
    const compress = () => compressModel(model, path(dir), { scheme: 'int4', force: true });
    await withFiles(files, () => raises(compress, 'SOURCE', [path(dir), SAME]));
    const content = isFile(out) ? 'theirs' : { ...(before[out] as object), 'notes.txt': 'theirs' };
    assert.equal(await tree(dir), { ...before, [out]: content });
  });

  test(`with force: ${out} made while the old one is aside; both stay`, async (context) => {
    const { dir, model } = context;
    await compressModel(model, path(dir), { scheme: 'int8' });
    const before = await tree(dir);
    const { rename } = fs;
    const files: Partial<typeof fs> = {
      async rename(from, to) {
        await rename(from, to);
        if (from === path(dir)) writeFileSync(path(dir), 'theirs');
      },
    };
    const compress = () => compressModel(model, path(dir), { scheme: 'int4', force: true });
    await withFiles(files, () => raises(compress, 'SOURCE', [path(dir), '.old']));
    const { [out]: now, model: _, ...rest } = await tree(dir);
    assert.is(now, 'theirs');
    const names = Object.keys(rest);
    assert.is(names.length, 1, names.join());
    assert.ok(names[0]!.startsWith(`${out}.`) && names[0]!.endsWith('.old'), names[0]);
    assert.equal(rest[names[0]!], before[out]);
  });
}

test('with force: an OUT that goes meanwhile is written anew', async ({ dir, model }) => {
  for (const out of NAMES) {
    const path = join(dir, out);
    await compressModel(model, path, { scheme: 'int4' });
    const before = await tree(dir);
    await compressWhile(model, path, () => rmSync(path, { recursive: true }), true);
    assert.equal(await tree(dir), before);
  }
});

test('a failure takes the directories above OUT along that it made', async ({ dir, model }) => {
  const fail = () => {
    throw new Error('enough');
  };
  for (const out of NAMES) {
    const path = join(dir, 'new', 'deep', out);
    const failed = await compressWhile(model, path, fail).catch(() => null);
    assert.is(failed, null);
    assert.equal(await readdir(dir), ['model']);
  }
});

test('no name is given twice', async ({ dir }) => {
  const [from, to] = [join(dir, 'from'), join(dir, 'to')];
  for (const [, make, content] of FOREIGN) {
    make(to);
    await writeFile(from, 'ours');
    assert.is(await publishFile(from, to), false);
    assert.is(await withFiles(noHardLinks, () => publishFile(from, to)), false);
    await rm(from);
    await mkdir(from);
    assert.is(await publishDirectory(from, to, false), false);
    assert.equal((await tree(dir))['to'], content);
    const isEmpty = JSON.stringify(content) === '{}';
    assert.is(await publishDirectory(from, to, true), isEmpty);
    assert.equal((await tree(dir))['to'], content);
    await rm(from, { recursive: true, force: true });
    await rm(to, { recursive: true });
  }
});

test.run();
