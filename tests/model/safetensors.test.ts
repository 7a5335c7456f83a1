import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSafetensors } from '../../bindings/model/safetensors.js';
import { memorySource } from '../../bindings/model/source.js';
import { raises } from '../support/raises.js';
import { safetensorsBytes, safetensorsFile } from '../support/tiny_model.js';

const bytes = (length: number) => new Uint8Array(length).fill(7);
const read = (file: Uint8Array) => readSafetensors(memorySource('m.safetensors', file));

/** A header with one tensor `a`, F32 [2, 3] in 24 bytes, changed. */
const one = (change: object, data = 24) => {
  const a = { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24], ...change };
  return safetensorsFile({ a }, bytes(data));
};
const f32 = (begin: number, end: number) => {
  return { dtype: 'F32', shape: [(end - begin) / 4], data_offsets: [begin, end] };
};

test('names, shapes, places and metadata come out as they went in', async () => {
  const file = safetensorsBytes(
    [
      { name: 'a', dtype: 'F16', shape: [3], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'empty', dtype: 'F32', shape: [0, 4], bytes: bytes(0) },
      { name: 'scalar', dtype: 'U8', shape: [], bytes: Uint8Array.of(9) },
    ],
    { config: '{"é": 1}' },
  );
  const { tensors, metadata } = await read(file);
  assert.equal([...tensors.keys()], ['a', 'empty', 'scalar']);
  assert.equal([...metadata], [['config', '{"é": 1}']]);
  const { source, offset, ...a } = tensors.get('a')!;
  assert.equal(a, { name: 'a', dtype: 'F16', shape: [3], bytes: 6 });
  const into = new Uint8Array(8);
  await source.read(offset, into.subarray(1, 7));
  assert.equal([...into], [0, 1, 2, 3, 4, 5, 6, 0]);
});

test('a header without metadata, padded with spaces, is fine', async () => {
  const header = new TextEncoder().encode(`${JSON.stringify({ a: f32(0, 8) })}      `);
  assert.is((await read(safetensorsFile(header, bytes(8)))).tensors.get('a')!.bytes, 8);
});

const good = one({});
const long = good.slice();
new DataView(long.buffer).setBigUint64(0, 1n << 40n, true);

const DAMAGED: readonly [name: string, file: Uint8Array, parts: (string | number)[]][] = [
  ['empty', bytes(0), ['0 bytes', 8]],
  ['seven bytes', bytes(7), ['7 bytes', 8]],
  ['header length beyond the file', long, [2 ** 40, good.length - 8]],
  ['cut inside the header', good.slice(0, 20), [good.length - 24 - 8, 12]],
  ['cut inside the data', good.slice(0, -1), ['a:', 24, 23]],
  ['bytes behind the data', one({}, 25), [good.length, good.length + 1]],
  ['no JSON', safetensorsFile(bytes(30)), ['JSON', 30]],
  ['no UTF-8', safetensorsFile(Uint8Array.of(0x22, 0xff, 0x22)), ['header', 'UTF-8']],
  ['an array', safetensorsFile([]), ['object', '[]']],
  ['a tensor that is a number', safetensorsFile({ a: 5 }), ['a:', 'object', 5]],
  ['unknown dtype', one({ dtype: 'F33' }), ['a:', 'dtype', 'F33']],
  ['dtype of the wrong type', one({ dtype: 4 }), ['a:', 'dtype', 4]],
  ['no dtype', one({ dtype: undefined }), ['a:', 'dtype', 'nothing']],
  ['no shape', one({ shape: undefined }), ['a:', 'shape', 'nothing']],
  ['negative shape', one({ shape: [-2, -3] }), ['a:', 'shape', '[-2,-3]']],
  ['fractional shape', one({ shape: [1.5, 4] }), ['a:', 'shape', '1.5']],
  ['shape of strings', one({ shape: ['6'] }), ['a:', 'shape', '"6"']],
  ['shape too large', one({ shape: [2, 4] }), ['a:', 24, 32, '[2, 4]']],
  ['shape beyond 2^53', one({ shape: [2 ** 40, 2 ** 40] }), ['a:', 24]],
  ['no offsets', one({ data_offsets: undefined }), ['a:', 'data_offsets', 'nothing']],
  ['one offset', one({ data_offsets: [24] }), ['a:', 'data_offsets', '[24]']],
  ['negative offset', one({ data_offsets: [-24, 0] }), ['a:', 'data_offsets', -24]],
  ['reversed offsets', one({ data_offsets: [24, 0] }), ['a:', 'reversed', 24, 0]],
  ['offsets beyond the file', one({ data_offsets: [8, 32] }), ['a:', 32, 24]],
  ['a gap before', one({ data_offsets: [4, 28] }, 28), ['a:', 4, 0]],
  [
    'overlapping',
    safetensorsFile({ a: f32(0, 24), b: f32(16, 40) }, bytes(40)),
    ['b:', 'inside a', 16, 24],
  ],
  ['a gap between', safetensorsFile({ a: f32(0, 8), b: f32(12, 20) }, bytes(20)), ['b:', 12, 8]],
  ['metadata that is no object', safetensorsFile({ __metadata__: 3 }), ['__metadata__', 3]],
  [
    'metadata of a number',
    safetensorsFile({ __metadata__: { format: 1 } }),
    ['__metadata__.format', 'string', 1],
  ],
];

const asText = (header: string, data = 0) =>
  safetensorsFile(new TextEncoder().encode(header), bytes(data));
const entry = JSON.stringify(f32(0, 24));
const REPEATED: readonly [name: string, header: string, key: string][] = [
  ['a tensor', `{"a": ${entry}, "a": ${entry}}`, 'a'],
  [
    'a tensor, one name with escapes',
    `{"a\\"\\\\": ${entry}, "\\u0061\\"\\u005c" : ${entry}}`,
    'a\\"',
  ],
  ['metadata', `{"__metadata__": {"b": "1"}, "a": ${entry}, "__metadata__": {}}`, '__metadata__'],
  ['a text', `{"__metadata__": {"x": "a", "config": "{", "config": "}"}, "a": ${entry}}`, 'config'],
  [
    'a shape',
    `{"a": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24], "shape": [6]}}`,
    'shape',
  ],
];
for (const [name, header, key] of REPEATED) {
  test(`refused: ${name} twice`, () => {
    return raises(() => read(asText(header, 24)), 'FORMAT', ['header', key, 'twice'], name);
  });
}

test('a name that stands in two objects, or as a value, stands there once', async () => {
  const header = `{"__metadata__": {"a": "a", "b": "a", "c": "{\\"a\\":\\"a\\"}"}, "a": ${entry}}`;
  assert.equal([...(await read(asText(header, 24))).tensors.keys()], ['a']);
});

for (const [name, file, parts] of DAMAGED) {
  test(`refused: ${name}`, () => {
    return raises(() => read(file), 'FORMAT', ['[m.safetensors', ...parts], name);
  });
}

test('cut anywhere, a file is refused', async () => {
  for (let length = 0; length < good.length; length++) {
    await raises(() => read(good.slice(0, length)), 'FORMAT', ['[m.safetensors]'], `${length}`);
  }
});

test('an aborted read throws the reason', async () => {
  const reason = new Error('enough');
  try {
    await readSafetensors(memorySource('m', good), AbortSignal.abort(reason));
    assert.unreachable();
  } catch (error) {
    assert.is(error, reason);
  }
});

test('memory is read in place, and refuses what lies outside or comes after close', async () => {
  const source = memorySource('memory', Uint8Array.of(1, 2, 3, 4));
  const shared = new Uint8Array(new SharedArrayBuffer(4), 1, 2);
  await source.read(2, shared);
  assert.equal([...shared], [3, 4]);
  await raises(() => source.read(3, new Uint8Array(2)), 'FORMAT', ['memory', 3, 5, 4]);
  await source.close();
  await raises(() => source.read(0, new Uint8Array(1)), 'DISPOSED', ['memory']);
});

test.run();
