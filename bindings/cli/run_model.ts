// Loading a model for one command, with progress, and freeing it whatever happens.

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

/**
 * Loads MODEL, runs `use` with it and its bits per weight, disposes it.
 * @param onTrace gets the steps of the model
 */
export async function withModel<T>(
  options: Options,
  { signal }: Terminal,
  use: (model: Model, bits: number) => Promise<T>,
  onTrace?: OnTrace,
): Promise<T> {
  const bar = new ProgressBar('loading');
  const device = options.choice('device', DEVICES);
  const loadOptions: LoadOptions = {
    ...cacheOptions(options),
    device,
    signal,
    onTrace,
    onProgress: ({ done, total }) => bar.update(done, total),
  };
  let bits = 0;
  const model = await loadSeen(options.model, loadOptions, ({ weights }) => {
    bits = bitsPerWeight([...weights.values()]);
  }).finally(() => bar.end());
  try {
    return await use(model, bits);
  } finally {
    await model.dispose();
  }
}
