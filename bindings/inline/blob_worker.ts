// Stands for remote/default_worker.ts in `halfbyte/inline`.

import { WORKER } from '#inline-assets';

let url: string | null = null;

/** The worker's script is kept: the threads that it starts load it again. */
export function startDefaultWorker(): Worker {
  url ??= URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
  return new Worker(url, { type: 'module' });
}
