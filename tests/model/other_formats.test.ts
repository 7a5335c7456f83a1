import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readSafetensors } from '../../bindings/model/safetensors.js';
import { memorySource } from '../../bindings/model/source.js';
import { raises } from '../support/raises.js';

/** A file of 600 bytes; each character of the texts is a byte. */
const file = (begin: string, at = 0) => {
  const bytes = Uint8Array.from({ length: 600 }, (_, i) => 160 + ((i * 37) % 90));
  for (const [i, byte] of [...begin].entries()) bytes[at + i] = byte.charCodeAt(0);
  return bytes;
};
const text = (words: string) => new TextEncoder().encode(words);
const GGUF = 'GGUF\x03\0\0\0\x23\x01\0\0\0\0\0\0';
const ZIP = 'PK\x03\x04\x14\0\0\0\x08\0';

const OTHERS: readonly [name: string, bytes: Uint8Array, came: string, instead: string][] = [
  ['photo.jpg', file('\xff\xd8\xff\xe0\0\x10JFIF\0'), 'JPEG image', 'folder of a model'],
  ['photo.safetensors', file('\x89PNG\r\n\x1a\n'), 'PNG image', '.safetensors file'],
  ['photo.webp', file('RIFF\x24\x80\x01\0WEBPVP8 '), 'WebP image', '.safetensors'],
  ['photo.heic', file('\0\0\0\x24ftypheic'), 'HEIF image', '.safetensors'],
  ['film.mp4', file('\0\0\0\x20ftypisom'), 'film', '.safetensors'],
  ['letter.pdf', file('%PDF-1.7\n'), 'PDF document', '.safetensors'],
  ['model.gguf', file(GGUF), 'GGUF', 'the same model as .safetensors'],
  ['model.safetensors', file(GGUF), 'GGUF', 'config.json'],
  ['pytorch_model.bin', file(ZIP), 'PyTorch weights', 'the same model'],
  ['old.pt', file('\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P'), 'PyTorch weights', 'the same model'],
  ['model.onnx', file('\x08\x07\x12\x07pytorch'), 'ONNX', 'the same model'],
  ['model.h5', file('\x89HDF\r\n\x1a\n'), 'HDF5', 'the same model'],
  ['weights.npz', file(ZIP), 'NumPy', 'the same model'],
  ['model.zip', file(ZIP), 'ZIP archive', 'unpacked'],
  ['model.tar.gz', file('\x1f\x8b\x08\0\x11\x22\x33\x44'), 'gzip', 'unpacked'],
  ['model.tar', file('ustar', 257), 'tar archive', 'unpacked'],
  ['config.json', text('{\n  "model_type": "llama" }'), 'JSON', 'whole folder'],
  ['a.safetensors', text('version https://git-lfs.github.com/spec/v1'), 'Git LFS', 'git lfs pull'],
  ['m.safetensors', text('<!DOCTYPE html><html>'), 'web page', '.safetensors'],
  ['notes.txt', text('Once upon a time'), 'a text', '.safetensors'],
  ['unknown.safetensors', file(''), 'header of', '600 bytes'],
];

for (const [name, bytes, came, instead] of OTHERS) {
  test(`${name}: ${came}`, () => {
    const read = () => readSafetensors(memorySource(name, bytes));
    return raises(read, 'FORMAT', [`[${name}] `, came, instead]);
  });
}

const BY_NAME = OTHERS.filter(([name]) => /\.(gguf|bin|pt|onnx|npz)$/.test(name));

for (const [name, bytes, came, instead] of BY_NAME) {
  test(`${name} on disk, behind a URL, among files by name`, () =>
    inFolder(async (folder) => {
      const path = join(folder, name);
      await writeFile(path, bytes);
      await raises(() => openCheckpoint(path), 'FORMAT', [path, came, instead]);
      const fetch = () => Promise.reject(new Error('nothing is to be fetched'));
      const url = `https://models.test/tiny/${name}?download=true`;
      await raises(() => openCheckpoint(url, { fetch }), 'FORMAT', [name, came, instead]);
      const files = { 'tiny/README.md': new Blob(), [`tiny/${name}`]: new Blob() };
      await raises(() => openCheckpoint(files), 'FORMAT', [name, came, instead]);
    }));
}

test('the directory of a LoRA adapter, which names its base model', () =>
  inFolder(async (folder) => {
    const config = JSON.stringify({ base_model_name_or_path: 'meta-llama/Llama-3.2-1B', r: 8 });
    const parts = ['is a LoRA adapter', 'not supported yet', 'merge_and_unload()'];
    const base = 'of "meta-llama/Llama-3.2-1B"';
    await writeFile(join(folder, 'adapter_config.json'), config);
    await raises(() => openCheckpoint(folder), 'UNSUPPORTED', [folder, base, ...parts]);
    await writeFile(join(folder, 'adapter_config.json'), '{');
    await raises(() => openCheckpoint(folder), 'UNSUPPORTED', [folder, ...parts]);
    const files = {
      'lora/adapter_model.safetensors': new Blob(),
      'lora/adapter_config.json': new Blob([config]),
    };
    await raises(() => openCheckpoint(files), 'UNSUPPORTED', ['lora', base, ...parts]);
  }));

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'halfbyte-formats-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test.run();
