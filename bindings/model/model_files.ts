// Which files make a model: a directory with config.json and model.safetensors, or its shards; or
// one .safetensors file that carries the texts in its metadata.

import { FormatError, SourceError } from '../errors.js';
import { ADAPTER_CONFIG, adapterRefusal } from './adapter.js';
import { findFiles, type ModelLocation } from './file_tree.js';
import { type FileTree, MAX_TEXT_BYTES, type Reading, type SourceOptions } from './files.js';
import { parseUniqueKeys } from './json_keys.js';
import { readSafetensors, type SafetensorsFile, type StoredTensor } from './safetensors.js';
import { readShardIndex } from './shard_index.js';
import { decodeUtf8 } from './utf8.js';
import type { ByteSource } from './weight.js';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

export interface ModelTexts {
  readonly config: string;
  readonly tokenizer: string | null;
  readonly tokenizerConfig: string | null;
  readonly generationConfig: string | null;
  readonly chatTemplate: string | null;
}

/** Every text of a model: its name in a directory and its key in the metadata of a single file. */
const TEXTS: Readonly<Record<keyof ModelTexts, { readonly file: string; readonly key: string }>> = {
  config: { file: 'config.json', key: 'config' },
  tokenizer: { file: 'tokenizer.json', key: 'tokenizer' },
  tokenizerConfig: { file: 'tokenizer_config.json', key: 'tokenizer_config' },
  generationConfig: {
    file: 'generation_config.json',
    key: 'generation_config',
  },
  chatTemplate: { file: 'chat_template.jinja', key: 'chat_template' },
};

/** The files of one model, open until `close`. */
export interface ModelFiles {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly texts: ModelTexts;
  /** For messages: where the config was found. */
  readonly configName: string;
  /** Bytes of the safetensors files. */
  readonly fileBytes: number;
  /** @throws SourceError if a file is no longer what it was when it was opened */
  checkUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the files at `location` and reads their headers and texts. */
export async function openModelFiles(
  location: ModelLocation,
  options: SourceOptions = {},
): Promise<ModelFiles> {
  const { signal } = options;
  signal?.throwIfAborted();
  const { tree, file } = await findFiles(location, options);
  const sources: ByteSource[] = [];
  const close = async () => {
    await Promise.all(sources.map((source) => source.close()));
  };
  const open = async (path: string, reading: Reading) => {
    const source = await tree.open(path, reading);
    if (source !== null) sources.push(source);
    return source;
  };
  let fileBytes = 0;
  const opener: Opener = {
    name: tree.name,
    async weights(path) {
      const source = await open(path, 'ranges');
      fileBytes += source?.size ?? 0;
      return source && readSafetensors(source, signal);
    },
    async text(path) {
      const source = await open(path, 'text');
      return source && readText(source, signal);
    },
  };
  try {
    const files = file === null ? await openDirectory(opener) : await openSingle(opener, file);
    signal?.throwIfAborted();
    const checkUnchanged = async () => {
      await Promise.all(sources.map((source) => source.checkUnchanged?.()));
    };
    return { ...files, fileBytes, checkUnchanged, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Null: there is no such file. */
interface Opener extends Pick<FileTree, 'name'> {
  weights(file: string): Promise<SafetensorsFile | null>;
  text(file: string): Promise<string | null>;
}

type Contents = Pick<ModelFiles, 'tensors' | 'texts' | 'configName'>;

/** With a config in its metadata the file carries everything; else the texts lie beside it. */
async function openSingle(opener: Opener, path: string): Promise<Contents> {
  const name = opener.name(path);
  const opened = await opener.weights(path);
  if (opened === null) throw new SourceError(`[${name}] no such file`);
  const { tensors, metadata } = opened;
  if (metadata.has(TEXTS.config.key)) {
    const texts = await readTexts(async ({ key }) => metadata.get(key) ?? null);
    return {
      tensors,
      configName: `${name}: config`,
      texts: { ...texts, config: texts.config! },
    };
  }
  const configName = opener.name(TEXTS.config.file);
  const texts = await readTexts(({ file }) => opener.text(file));
  if (texts.config !== null)
    return { tensors, configName, texts: { ...texts, config: texts.config } };
  throw new FormatError(`[${name}] not a model: no config in its metadata and no ${configName}`);
}

async function openDirectory(opener: Opener): Promise<Contents> {
  const directory = opener.name('').replace(/[/\\]$/, '');
  const texts = await readTexts(({ file }) => opener.text(file));
  const { config } = texts;
  if (config === null) {
    const adapter = await opener.text(ADAPTER_CONFIG);
    if (adapter !== null) throw adapterRefusal(directory, adapter);
    const next = "expected a directory in Hugging Face's layout";
    throw new SourceError(`[${directory}] not a model: config.json is missing; ${next}`);
  }
  const contents = {
    configName: opener.name(TEXTS.config.file),
    texts: { ...texts, config },
  };
  const single = await opener.weights(SINGLE);
  if (single !== null) return { ...contents, tensors: single.tensors };
  const index = await opener.text(INDEX);
  if (index === null) {
    throw new SourceError(
      `[${directory}] not a model: neither ${SINGLE} nor ${INDEX} is there; other files of weights are not read`,
    );
  }
  return { ...contents, tensors: await openShards(opener, index) };
}

/** Tensors of all shards; the index and the shards must name the same ones. */
async function openShards(opener: Opener, index: string): Promise<Map<string, StoredTensor>> {
  const indexName = opener.name(INDEX);
  const shards = readShardIndex(parseUniqueKeys(index, indexName), indexName);
  const tensors = new Map<string, StoredTensor>();
  for (const [file, names] of shards) {
    const path = opener.name(file);
    const shard = await opener.weights(file);
    if (shard === null) {
      throw new SourceError(`[${indexName}] names shard ${file}, which is missing`);
    }
    for (const name of names) {
      const tensor = shard.tensors.get(name);
      if (!tensor) throw new FormatError(`[${path}] ${name}: missing, ${indexName} places it here`);
      tensors.set(name, tensor);
    }
    for (const name of shard.tensors.keys()) {
      if (names.has(name)) continue;
      throw new FormatError(`[${path}] ${name}: not placed here by ${indexName}`);
    }
  }
  return tensors;
}

async function readText(source: ByteSource, signal: AbortSignal | undefined): Promise<string> {
  const { name, size } = source;
  try {
    if (size > MAX_TEXT_BYTES) {
      const most = `at most ${MAX_TEXT_BYTES} are read`;
      throw new FormatError(`[${name}] a text of ${size} bytes, ${most}`);
    }
    const bytes = new Uint8Array(size);
    await source.read(0, bytes, signal);
    return decodeUtf8(bytes, name);
  } finally {
    await source.close();
  }
}

async function readTexts(
  read: (where: { file: string; key: string }) => Promise<string | null>,
): Promise<{ [K in keyof ModelTexts]: string | null }> {
  const [config, tokenizer, tokenizerConfig, generationConfig, chatTemplate] = await Promise.all([
    read(TEXTS.config),
    read(TEXTS.tokenizer),
    read(TEXTS.tokenizerConfig),
    read(TEXTS.generationConfig),
    read(TEXTS.chatTemplate),
  ]);
  return { config, tokenizer, tokenizerConfig, generationConfig, chatTemplate };
}
