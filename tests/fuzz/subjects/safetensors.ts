// The header of a safetensors file, as JSON and as bytes, and the tensors behind it.

import type { TestRandom } from '../../support/random.js';
import { spoilBytes } from '../byte_damage.js';
import type { Draft, HeaderEntry } from '../draft.js';
import { hostileNumber, hostileValue, type JsonTree, jsonDamages } from '../json_damage.js';
import { type Damage, pick, repeatable } from '../subject.js';
import { modelSubject } from './model.js';
import { TENSOR_DAMAGES } from './tensors.js';

interface Entry {
  dtype: unknown;
  shape: unknown;
  data_offsets: [number, number];
}

/** One entry of the header is changed. */
function entryDamage(
  name: string,
  change: (entry: Entry, random: TestRandom, entries: HeaderEntry[]) => void,
): Damage<Draft> {
  return headerDamage(name, (entries, random) => {
    const [, entry] = pick(random, entries.slice(1));
    if (Array.isArray((entry as Entry).data_offsets)) change(entry as Entry, random, entries);
  });
}

function headerDamage(
  name: string,
  edit: (entries: HeaderEntry[], random: TestRandom) => void,
): Damage<Draft> {
  return {
    name: `header: ${name}`,
    apply(draft, random) {
      const draw = repeatable(random);
      draft.headerEdits.push((entries) => {
        if (entries.length > 1) edit(entries, draw());
      });
    },
  };
}

function fileDamage(
  name: string,
  edit: (bytes: Uint8Array, random: TestRandom) => Uint8Array,
): Damage<Draft> {
  return {
    name: `file: ${name}`,
    apply(draft, random) {
      const draw = repeatable(random);
      draft.byteEdits.push((bytes) => edit(bytes, draw()));
    },
  };
}

/** Generic damage to the entry of one tensor, name aside. */
const ENTRY_TREE = jsonDamages<JsonTree>('header', (tree) => tree).map((damage) =>
  headerDamage(damage.name, (entries, random) => {
    const at = 1 + random.below(entries.length - 1);
    const tree: JsonTree = { root: entries[at]![1] };
    damage.apply(tree, random);
    entries[at]![1] = tree.root;
  }),
);

function headerEnd(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return bytes.length < 8 ? bytes.length : 8 + view.getUint32(0, true);
}

const HEADER_DAMAGES: readonly Damage<Draft>[] = [
  ...ENTRY_TREE,
  entryDamage('offsets moved', (entry, random) => {
    const by = pick(random, [-4, -1, 1, 2, 4, 128, 1e9, -1e9]);
    entry.data_offsets = entry.data_offsets.map((at) => at + by) as [number, number];
  }),
  entryDamage('begins after its end', (entry) => void entry.data_offsets.reverse()),
  entryDamage('longer or shorter', (entry, random) => {
    entry.data_offsets[random.below(2)]! += pick(random, [-4, -1, 1, 4, 64]);
  }),
  entryDamage('no bytes', (entry) => {
    entry.shape = [0, 32];
    entry.data_offsets[1] = entry.data_offsets[0];
  }),
  entryDamage('a size that overflows', (entry, random) => {
    entry.shape = [2 ** 32, hostileNumber(random), 2 ** 31];
  }),
  entryDamage('the bytes of another', (entry, random, entries) => {
    const other = pick(random, entries.slice(1))[1] as Entry;
    if (Array.isArray(other.data_offsets)) entry.data_offsets = [...other.data_offsets];
  }),
  headerDamage('two tensors change places', (entries, random) => {
    const [a, b] = [1 + random.below(entries.length - 1), 1 + random.below(entries.length - 1)];
    const [first, second] = [entries[a]!, entries[b]!];
    [first[0], second[0]] = [second[0], first[0]];
  }),
  headerDamage('a key twice', (entries, random) => {
    const [name, entry] = pick(random, entries);
    const other = random.below(2) === 0 ? entry : pick(random, entries)[1];
    entries.splice(random.below(entries.length + 1), 0, [name, other]);
  }),
  headerDamage('an entry gone', (entries, random) => {
    entries.splice(random.below(entries.length), 1);
  }),
  headerDamage('metadata of another type', (entries, random) => {
    entries[0] = ['__metadata__', hostileValue(random)];
  }),
  headerDamage('a strange key', (entries, random) => {
    entries.push([pick(random, ['', '__proto__', 'x', 'a'.repeat(300)]), hostileValue(random)]);
  }),
];

const FILE_DAMAGES: readonly Damage<Draft>[] = [
  fileDamage('a fault in the header', (bytes, random) =>
    spoilBytes(bytes, random, headerEnd(bytes)),
  ),
  fileDamage('a fault anywhere', (bytes, random) => spoilBytes(bytes, random)),
  fileDamage('another header length', (bytes, random) => {
    const copy = bytes.slice();
    if (copy.length < 8) return copy;
    const view = new DataView(copy.buffer);
    const length = view.getBigUint64(0, true);
    const lengths = [
      0n,
      1n,
      2n,
      length - 1n,
      length + 1n,
      length + 8n,
      BigInt(copy.length),
      2n ** 31n,
    ];
    const most = [
      ...lengths,
      2n ** 32n + length,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 1n,
      100_000_000n,
    ];
    view.setBigUint64(0, BigInt.asUintN(64, pick(random, most)), true);
    return copy;
  }),
  fileDamage('cut', (bytes, random) => bytes.subarray(0, random.below(bytes.length))),
  fileDamage('invalid UTF-8 in the header', (bytes, random) => {
    const copy = bytes.slice();
    copy.set(
      pick(random, [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8]]),
      8 + random.below(200),
    );
    return copy;
  }),
];

export const safetensors = modelSubject({
  kind: 'safetensors',
  share: 5,
  damages: [...HEADER_DAMAGES, ...HEADER_DAMAGES, ...FILE_DAMAGES, ...TENSOR_DAMAGES],
});
