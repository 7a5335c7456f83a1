// A model on its way to being files: config, texts and tensors as they can be spoiled, then header, then bytes.

import { type ModelFile, modelFile, SCHEMES, type Stored } from '../everywhere/support/models.js';
import type { TestRandom } from '../support/random.js';
import { tinyTokenizer, tinyTokenizerConfig } from '../support/tiny_tokenizer.js';
import { safetensorsFile, type TinyOptions } from '../support/tiny_weights.js';
import { copyJson, type JsonTree, RawJson, toJson } from './json_damage.js';
import { pick } from './subject.js';

export type Files = Record<string, Uint8Array>;
/** Name and entry of a tensor in the header. */
export type HeaderEntry = [name: string, entry: unknown];

export interface Draft {
  readonly scheme: string;
  readonly config: JsonTree;
  readonly generation: JsonTree;
  readonly tokenizer: JsonTree;
  readonly tokenizerConfig: JsonTree;
  chatTemplate: string | null;
  tensors: Stored[];
  /** One file with its texts in the metadata, a directory, or a directory of that many shards. */
  layout: 'file' | 'directory' | number;
  index: JsonTree | null;
  /** Applied to the entries of the (last) header, then to its file. */
  readonly headerEdits: ((entries: HeaderEntry[]) => void)[];
  readonly byteEdits: ((bytes: Uint8Array) => Uint8Array)[];
  /** Applied to the bytes of a text by name; the texts of one file are in its header. */
  readonly textEdits: Map<string, (bytes: Uint8Array) => Uint8Array>;
}

const VOCAB = 300;
const SMALL = { hiddenSize: 32, intermediateSize: 44, numLayers: 1, vocabSize: VOCAB, headDim: 8 };
const SHAPES: readonly Partial<TinyOptions>[] = [
  { ...SMALL, numHeads: 4, numKvHeads: 2, contextLength: 64 },
  { ...SMALL, numHeads: 4, numKvHeads: 1, contextLength: 40, tied: false },
  { ...SMALL, numHeads: 2, numKvHeads: 2, headDim: 16, contextLength: 96, numLayers: 2 },
  { ...SMALL, hiddenSize: 40, intermediateSize: 33, numHeads: 5, numKvHeads: 5, contextLength: 33 },
];
const made = new Map<string, ModelFile>();

/** A valid model. @param of which schemes */
export function makeDraft(random: TestRandom, of: readonly string[] = SCHEMES): Draft {
  const scheme = pick(random, of);
  const shape = random.below(SHAPES.length);
  const dtype = scheme === 'float' ? pick(random, ['F32', 'F32', 'BF16', 'F16'] as const) : 'F32';
  const { config, tensors } = model(scheme, shape, dtype);
  return {
    scheme,
    config: { root: copyJson(config) },
    generation: { root: { bos_token_id: 1, eos_token_id: 2 } },
    tokenizer: { root: tinyTokenizer(VOCAB) },
    tokenizerConfig: { root: tinyTokenizerConfig() },
    chatTemplate: null,
    tensors: [...tensors],
    layout: random.below(2) === 0 ? 'file' : 'directory',
    index: null,
    headerEdits: [],
    byteEdits: [],
    textEdits: new Map(),
  };
}

function model(scheme: string, shape: number, dtype: TinyOptions['dtype']): ModelFile {
  const key = `${scheme} ${shape} ${dtype}`;
  const known = made.get(key);
  if (known) return known;
  const file = modelFile(scheme, { ...SHAPES[shape], seed: 1 + shape });
  const tensors = file.tensors.map((tensor) =>
    tensor.dtype === 'F32' && dtype !== 'F32' ? halved(tensor, dtype) : tensor,
  );
  const fresh = { config: file.config, tensors };
  made.set(key, fresh);
  return fresh;
}

/** The upper half of a float32 is a bfloat16; as a float16 it is another finite number, mostly. */
function halved(tensor: Stored, dtype: 'F16' | 'BF16'): Stored {
  const bytes = new Uint8Array(tensor.bytes.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = tensor.bytes[(i >> 1) * 4 + 2 + (i & 1)]!;
    // Exponents of float16 at 31 would be infinities.
    if (dtype === 'F16' && (i & 1) === 1) bytes[i]! &= 0xbf;
  }
  return { ...tensor, dtype, bytes };
}

/** The files as `loadModel` takes them. */
export function draftFiles(draft: Draft): Uint8Array | Files {
  const texts = draftTexts(draft);
  if (draft.layout === 'file') {
    const metadata = Object.fromEntries(texts.map(({ key, text }) => [key, text]));
    return weightsFile(draft, draft.tensors, metadata, true);
  }
  const files: Files = {};
  for (const { file, text } of texts) {
    const bytes = new TextEncoder().encode(text);
    files[file] = draft.textEdits.get(file)?.(bytes) ?? bytes;
  }
  if (draft.layout === 'directory') {
    files['model.safetensors'] = weightsFile(draft, draft.tensors, {}, true);
    return files;
  }
  return addShards(draft, draft.layout, files);
}

function draftTexts(draft: Draft): { file: string; key: string; text: string }[] {
  const texts = [
    { key: 'config', text: toJson(draft.config.root) },
    { key: 'generation_config', text: toJson(draft.generation.root) },
    { key: 'tokenizer', text: toJson(draft.tokenizer.root) },
    { key: 'tokenizer_config', text: toJson(draft.tokenizerConfig.root) },
  ].map(({ key, text }) => ({ file: `${key}.json`, key, text }));
  if (draft.chatTemplate === null) return texts;
  return [
    ...texts,
    { file: 'chat_template.jinja', key: 'chat_template', text: draft.chatTemplate },
  ];
}

/** Shards in turn get the tensors, in runs. */
function addShards(draft: Draft, count: number, files: Files): Files {
  for (let shard = 0; shard < count; shard++) {
    const part = shardTensors(draft, shard, count);
    files[shardName(shard, count)] = weightsFile(draft, part, {}, shard === count - 1);
  }
  const index = new TextEncoder().encode(toJson((draft.index ?? shardIndex(draft, count)).root));
  const file = 'model.safetensors.index.json';
  files[file] = draft.textEdits.get(file)?.(index) ?? index;
  return files;
}

function shardTensors({ tensors }: Draft, shard: number, count: number): Stored[] {
  const size = Math.ceil(tensors.length / count);
  return tensors.slice(shard * size, (shard + 1) * size);
}

export function shardName(shard: number, count: number): string {
  const five = (number: number) => String(number).padStart(5, '0');
  return `model-${five(shard + 1)}-of-${five(count)}.safetensors`;
}

/** The index that fits. */
export function shardIndex(draft: Draft, count: number): JsonTree {
  const placed = Array.from({ length: count }, (_, shard) =>
    shardTensors(draft, shard, count).map(({ name }) => [name, shardName(shard, count)]),
  );
  return { root: { metadata: { total_size: 1 }, weight_map: Object.fromEntries(placed.flat()) } };
}

function weightsFile(
  { headerEdits, byteEdits }: Draft,
  tensors: readonly Stored[],
  metadata: Record<string, string>,
  edited: boolean,
): Uint8Array {
  let offset = 0;
  const entries: HeaderEntry[] = [['__metadata__', metadata]];
  for (const { name, dtype, shape, bytes } of tensors) {
    const end = offset + bytes.length;
    entries.push([name, { dtype, shape: [...shape], data_offsets: [offset, end] }]);
    offset = end;
  }
  if (edited) for (const edit of headerEdits) edit(entries);
  const header = new TextEncoder().encode(entriesJson(entries));
  const bytes = safetensorsFile(header, ...tensors.map((tensor) => tensor.bytes));
  return edited ? byteEdits.reduce((file, edit) => edit(file), bytes) : bytes;
}

/** An object that may have a key twice. */
function entriesJson(entries: readonly HeaderEntry[]): string {
  const fields = entries.map(([name, entry]) => `${JSON.stringify(name)}:${toJson(entry)}`);
  return toJson(new RawJson(`{${fields.join(',')}}`));
}

/** For a report: files by name, in base64 what is no text. */
export function showFiles(files: Uint8Array | Files): string {
  if (files instanceof Uint8Array) return Buffer.from(files).toString('base64');
  const texts = Object.entries(files).map(([name, bytes]) => {
    const text = Buffer.from(bytes).toString(name.endsWith('.safetensors') ? 'base64' : 'utf8');
    return [name, text];
  });
  return JSON.stringify(Object.fromEntries(texts));
}
