// Tensors that are there, but not as they should be; their headers fit them.

import type { Stored } from '../../everywhere/support/models.js';
import type { TestRandom } from '../../support/random.js';
import type { Draft } from '../draft.js';
import { type Damage, pick } from '../subject.js';

const BITS: Readonly<Record<string, number>> = {
  F32: 32,
  U32: 32,
  F16: 16,
  BF16: 16,
  U8: 8,
  I8: 8,
};
const DTYPES = [
  'F32',
  'U32',
  'I32',
  'F16',
  'BF16',
  'U16',
  'U8',
  'I8',
  'F8_E4M3',
  'F64',
  'BOOL',
  'F4',
];
/** float32 and float16 patterns: NaNs, infinities, the largest, the smallest, zeros. */
const PATTERNS = [
  0x7fc00000, 0xff800000, 0x7f800000, 0x7f7fffff, 0x00000001, 0x80000000, 0x7e00_7c00, 0xfc00_fbff,
  0x0001_8000, 0, 0xffffffff,
];

type Change = (tensor: Stored, random: TestRandom) => Stored;

/** One tensor is changed. */
function tensorDamage(name: string, change: Change): Damage<Draft> {
  return {
    name: `tensor: ${name}`,
    apply(draft, random) {
      if (draft.tensors.length === 0) return;
      const at = random.below(draft.tensors.length);
      draft.tensors[at] = change(draft.tensors[at]!, random);
    },
  };
}

export const TENSOR_DAMAGES: readonly Damage<Draft>[] = [
  tensorDamage('values of a kind of their own', (tensor, random) => {
    const bytes = tensor.bytes.slice();
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 1 + random.below(3) && bytes.length >= 4; i++) {
      view.setUint32(4 * random.below(bytes.length >> 2), pick(random, PATTERNS), true);
    }
    return { ...tensor, bytes };
  }),
  tensorDamage('bits flipped', (tensor, random) => {
    const bytes = tensor.bytes.slice();
    for (let i = 0; i < 1 + random.below(8); i++) {
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    }
    return { ...tensor, bytes };
  }),
  tensorDamage('all zero', (tensor) => ({ ...tensor, bytes: new Uint8Array(tensor.bytes.length) })),
  tensorDamage('another dtype', (tensor, random) => ({ ...tensor, dtype: pick(random, DTYPES) })),
  tensorDamage('a dtype of the same width', (tensor, random) => {
    const width = BITS[tensor.dtype];
    const same = Object.keys(BITS).filter((dtype) => BITS[dtype] === width);
    return { ...tensor, dtype: pick(random, same) };
  }),
  tensorDamage('transposed', (tensor) => ({ ...tensor, shape: [...tensor.shape].reverse() })),
  tensorDamage('shape regrouped', (tensor, random) => {
    const [n = 1, k = 1] = tensor.shape;
    const shapes = [[n * k], [1, n * k], [n, 1, k], [n * 2, k / 2], [n / 2, k * 2], [n, k, 1], []];
    return { ...tensor, shape: pick(random, shapes) };
  }),
  tensorDamage('a row less', (tensor) => {
    const [n = 1, ...rest] = tensor.shape;
    const bytes = tensor.bytes.slice(0, (tensor.bytes.length / n) * (n - 1));
    return { ...tensor, shape: [n - 1, ...rest], bytes };
  }),
  tensorDamage('renamed', (tensor, random) => {
    const { name } = tensor;
    const names = [
      `${name}_`,
      name.replace('.weight', '.scales'),
      name.replace('layers.0', 'layers.7'),
      name.replace(/\.[^.]*$/, ''),
      name.replace('model.', ''),
      name.toUpperCase(),
      '',
      '__proto__',
      'weight',
      '\u001b[31m.weight',
      'lm_head.weight',
      'model.layers.0.self_attn.rotary_emb.inv_freq',
    ];
    return { ...tensor, name: pick(random, names) };
  }),
  {
    name: 'tensor: missing',
    apply: (draft, random) => void draft.tensors.splice(random.below(draft.tensors.length), 1),
  },
  {
    name: 'tensor: twice',
    apply: (draft, random) => void draft.tensors.push(pick(random, draft.tensors)),
  },
  {
    name: 'tensor: bytes of another',
    apply(draft, random) {
      const [a, b] = [random.below(draft.tensors.length), random.below(draft.tensors.length)];
      draft.tensors[a] = { ...draft.tensors[b]!, name: draft.tensors[a]!.name };
    },
  },
  {
    name: 'tensor: another order',
    apply: (draft) => void draft.tensors.reverse(),
  },
];
