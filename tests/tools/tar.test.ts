import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readTarFile } from '../../tools/stories/tar.js';
import { raises } from '../support/raises.js';

const folder = await mkdtemp(join(tmpdir(), 'halfbyte-tar-'));

/** An archive in the order given. */
function tar(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const records = Object.entries(files).flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(name);
    header.write(bytes.length.toString(8).padStart(11, '0'), 124);
    return [header, bytes, Buffer.alloc(-bytes.length & 511)];
  });
  return Buffer.concat([...records, Buffer.alloc(1024)]);
}

async function archive(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'a.tgz');
  await writeFile(path, gzipSync(bytes));
  return path;
}

for (const length of [0, 1, 511, 512, 513, 200_000]) {
  test(`a file of ${length} bytes behind others`, async () => {
    const file = Uint8Array.from({ length }, (_, i) => i * 7);
    const path = await archive(tar({ 'p/a': new Uint8Array(length), 'p/b': file, 'p/c': file }));
    assert.equal(new Uint8Array(await readTarFile(path, 'p/b')), file);
  });
}

test('a file that is not there, or not whole', async () => {
  const file = new Uint8Array(2000);
  const whole = tar({ 'p/a': file });
  const missing = await archive(whole);
  await raises(() => readTarFile(missing, 'p/b'), 'FORMAT', ['p/b', 'not there']);
  const cut = await archive(whole.subarray(0, 1512));
  await raises(() => readTarFile(cut, 'p/a'), 'FORMAT', ['p/a', 1000, 2000]);
});

test.after(() => rm(folder, { recursive: true }));
test.run();
