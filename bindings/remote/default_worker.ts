/** The package's own worker, beside the page's script. Bundlers look for exactly this form. */
export function startDefaultWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}
