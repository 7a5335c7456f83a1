// The public interface in a browser: the same names as index.ts, whose types it has, with models in workers.

export * from './errors.js';
export { inspectModel, loadModel, reportRuntime } from './remote/client.js';
export { RemoteModel as Model } from './remote/remote_model.js';
export { Sampler } from './sampler/sampler.js';
export { chromeTrace } from './trace/chrome_trace.js';
export { TraceSummary } from './trace/trace_summary.js';
