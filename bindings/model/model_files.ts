// Which files make a model: a directory with config.json and model.safetensors, or its shards; or one
// .safetensors file that carries the texts in its metadata.

import { fileKind, openFile, readTextFile } from '#platform';
import { FormatError, SourceError } from '../errors.js';
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
export async function openModelFiles(location: string, signal?: AbortSignal): Promise<ModelFiles> {
  signal?.throwIfAborted();
  const kind = await fileKind(location);
  if (kind === null) throw new SourceError(`[${location}] no such file or directory`);
  if (kind === 'file' && !location.endsWith('.safetensors')) {
    const expected = 'expected a directory or a file that ends in .safetensors';
    throw new FormatError(`[${location}] not a model: ${expected}`);
  }
  const sources: ByteSource[] = [];
  const close = async () => {
    await Promise.all(sources.map((source) => source.close()));
  };
  const open = async (path: string) => {
    const source = await openFile(path);
    sources.push(source);
    return readSafetensors(source, signal);
  };
  try {
    const files =
      kind === 'file' ? await openSingle(location, open) : await openDirectory(location, open);
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

type Opener = (path: string) => ReturnType<typeof readSafetensors>;
type Contents = Pick<ModelFiles, 'tensors' | 'texts' | 'configName'>;

/** With a config in its metadata the file carries everything; else the texts lie beside it. */
async function openSingle(path: string, open: Opener): Promise<Contents> {
  const { tensors, metadata } = await open(path);
  if (metadata.has(TEXTS.config.key)) {
    const texts = await readTexts(async ({ key }) => metadata.get(key) ?? null);
    return {
      tensors,
      configName: `${path}: config`,
      texts: { ...texts, config: texts.config! },
    };
  }
  const directory = path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  const configName = `${directory}${TEXTS.config.file}`;
  const texts = await readTexts(({ file }) => readTextFile(`${directory}${file}`));
  if (texts.config !== null)
    return { tensors, configName, texts: { ...texts, config: texts.config } };
  throw new FormatError(`[${path}] not a model: no config in its metadata and no ${configName}`);
}

async function openDirectory(path: string, open: Opener): Promise<Contents> {
  const at = (file: string) => joinPath(path, file);
  const texts = await readTexts(({ file }) => readTextFile(at(file)));
  const { config } = texts;
  if (config === null) throw new SourceError(`[${path}] not a model: config.json is missing`);
  const contents = {
    configName: at(TEXTS.config.file),
    texts: { ...texts, config },
  };
  if ((await fileKind(at(SINGLE))) !== null) {
    return { ...contents, tensors: (await open(at(SINGLE))).tensors };
  }
  const index = await readTextFile(at(INDEX));
  if (index === null) {
    throw new SourceError(`[${path}] not a model: neither ${SINGLE} nor ${INDEX} is there`);
  }
  const tensors = await openShards(path, at(INDEX), index, open);
  return { ...contents, tensors };
}

/** Tensors of all shards; the index and the shards must name the same ones. */
async function openShards(
  directory: string,
  indexName: string,
  index: string,
  open: Opener,
): Promise<Map<string, StoredTensor>> {
  const shards = readShardIndex(parseJsonObject(index, indexName), indexName);
  const tensors = new Map<string, StoredTensor>();
  for (const [file, names] of shards) {
    const path = joinPath(directory, file);
    if ((await fileKind(path)) === null) {
      throw new SourceError(`[${indexName}] names shard ${file}, which is missing`);
    }
    const shard = await open(path);
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
  return {
    config: await read(TEXTS.config),
    tokenizer: await read(TEXTS.tokenizer),
    tokenizerConfig: await read(TEXTS.tokenizerConfig),
    generationConfig: await read(TEXTS.generationConfig),
    chatTemplate: await read(TEXTS.chatTemplate),
  };
}

function joinPath(directory: string, file: string): string {
  return /[/\\]$/.test(directory) ? `${directory}${file}` : `${directory}/${file}`;
}
