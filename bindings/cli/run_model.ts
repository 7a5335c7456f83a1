// Loading models for one command, with progress, and freeing them whatever happens.

import type { Device, KvType } from '../executor/executor.js';
import { bitsPerWeight } from '../inspect.js';
import { type LoadOptions, loadSeen, type Model } from '../load.js';
import type { OnTrace } from '../trace/step_trace.js';
import type { Terminal } from './command.js';
import { type OptionSpec, type Options, THREADS_AND_CACHE } from './options.js';
import { ProgressBar } from './progress.js';

/** Those that there are, without what the library only announces. */
const DEVICES = ['wasm', 'auto', 'reference'] as const satisfies readonly (Device | 'auto')[];

/** Options of the commands that load a model. */
export const RUNTIME: Readonly<Record<string, OptionSpec>> = {
  ...THREADS_AND_CACHE,
  device: { value: 'D', help: `${DEVICES.join(', ')} (default: ${DEVICES[0]})` },
};

/** What `--threads` and `--kv-cache` say. */
export function cacheOptions(options: Options): Pick<LoadOptions, 'threads' | 'kvCache'> {
  return {
    threads: options.threads(),
    kvCache: options.choice<KvType>('kv-cache', ['f32', 'f16', 'int8']),
  };
}

export interface LoadedModel {
  readonly location: string;
  readonly model: Model;
  readonly bitsPerWeight: number;
  /** Of its safetensors files. */
  readonly fileBytes: number;
}

/**
 * Loads MODEL, runs `use` with it and its bits per weight, disposes it.
 * @param onTrace gets the steps of the model
 */
export async function withModel<T>(
  options: Options,
  terminal: Terminal,
  use: (model: Model, bits: number) => Promise<T>,
  onTrace?: OnTrace,
): Promise<T> {
  const loaded = await load(options.model, options, terminal, onTrace);
  try {
    return await use(loaded.model, loaded.bitsPerWeight);
  } finally {
    await loaded.model.dispose();
  }
}

/** Loads every MODEL, runs `use` with them, disposes them. */
export async function withModels<T>(
  options: Options,
  terminal: Terminal,
  use: (loaded: readonly LoadedModel[]) => Promise<T>,
): Promise<T> {
  const loaded: LoadedModel[] = [];
  try {
    for (const location of options.operands) loaded.push(await load(location, options, terminal));
    return await use(loaded);
  } finally {
    for (const { model } of loaded) await model.dispose();
  }
}

async function load(
  location: string,
  options: Options,
  { signal }: Terminal,
  onTrace?: OnTrace,
): Promise<LoadedModel> {
  const bar = new ProgressBar('loading');
  const device = options.choice('device', DEVICES);
  const loadOptions: LoadOptions = {
    ...cacheOptions(options),
    device,
    signal,
    onTrace,
    onProgress: ({ done, total }) => bar.update(done, total),
  };
  let seen = { bitsPerWeight: 0, fileBytes: 0 };
  const model = await loadSeen(location, loadOptions, ({ weights, fileBytes }) => {
    seen = { bitsPerWeight: bitsPerWeight([...weights.values()]), fileBytes };
  }).finally(() => bar.end());
  return { location, model, ...seen };
}
