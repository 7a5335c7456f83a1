// Which files make a model: a directory with config.json and model.safetensors, or its shards; or
// one .safetensors file that carries the texts in its metadata.

import { FormatError, SourceError } from '../errors.js';
import { findFiles, type ModelLocation } from './file_tree.js';
import type { FileTree, SourceOptions } from './files.js';
import { parseJsonObject } from './json_fields.js';
import { readSafetensors, type StoredTensor } from './safetensors.js';
import { readShardIndex } from './shard_index.js';
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
  const open = async (path: string) => {
    const source = await tree.open(path);
    if (source === null) return null;
    sources.push(source);
    return readSafetensors(source, signal);
  };
  try {
    const files =
      file === null ? await openDirectory(tree, open) : await openSingle(tree, file, open);
    signal?.throwIfAborted();
    return {
      ...files,
      fileBytes: sources.reduce((sum, { size }) => sum + size, 0),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Null: there is no such file. */
type Opener = (path: string) => Promise<Awaited<ReturnType<typeof readSafetensors>> | null>;
type Contents = Pick<ModelFiles, 'tensors' | 'texts' | 'configName'>;

/** With a config in its metadata the file carries everything; else the texts lie beside it. */
async function openSingle(tree: FileTree, path: string, open: Opener): Promise<Contents> {
  const name = tree.name(path);
  const opened = await open(path);
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
  const configName = tree.name(TEXTS.config.file);
  const texts = await readTexts(({ file }) => tree.text(file));
  if (texts.config !== null)
    return { tensors, configName, texts: { ...texts, config: texts.config } };
  throw new FormatError(`[${name}] not a model: no config in its metadata and no ${configName}`);
}

async function openDirectory(tree: FileTree, open: Opener): Promise<Contents> {
  const directory = tree.name('').replace(/[/\\]$/, '');
  const texts = await readTexts(({ file }) => tree.text(file));
  const { config } = texts;
  if (config === null) throw new SourceError(`[${directory}] not a model: config.json is missing`);
  const contents = {
    configName: tree.name(TEXTS.config.file),
    texts: { ...texts, config },
  };
  const single = await open(SINGLE);
  if (single !== null) return { ...contents, tensors: single.tensors };
  const index = await tree.text(INDEX);
  if (index === null) {
    throw new SourceError(`[${directory}] not a model: neither ${SINGLE} nor ${INDEX} is there`);
  }
  return { ...contents, tensors: await openShards(tree, index, open) };
}

/** Tensors of all shards; the index and the shards must name the same ones. */
async function openShards(
  tree: FileTree,
  index: string,
  open: Opener,
): Promise<Map<string, StoredTensor>> {
  const indexName = tree.name(INDEX);
  const shards = readShardIndex(parseJsonObject(index, indexName), indexName);
  const tensors = new Map<string, StoredTensor>();
  for (const [file, names] of shards) {
    const path = tree.name(file);
    const shard = await open(file);
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
