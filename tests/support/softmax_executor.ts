// The core's softmax over given logits, without a model: all that a sampler asks of an executor.

import { loadCore } from '#platform';
import type { Executor } from '../../bindings/executor/executor.js';

/** @param logits read anew for each token */
export async function softmaxExecutor(logits: ArrayLike<number>): Promise<Executor> {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const module = await loadCore('core.simd');
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const softmax = exports.softmax as (x: number, n: number, temperature: number) => void;
  const address = 65536;
  const row = new Float32Array(memory.buffer, address, logits.length);
  const executor: Pick<Executor, 'logits' | 'softmax'> = {
    logits: () => {
      row.set(logits);
      return row;
    },
    softmax: (_index, temperature) => {
      softmax(address, row.length, temperature);
      return row;
    },
  };
  return executor as Executor;
}
