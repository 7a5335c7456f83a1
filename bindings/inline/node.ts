// `halfbyte/inline` in Node, Deno and Bun: one file, with the core and the threads' script in it.

import { WORKER } from '#inline-assets';
import { type ReportOptions, reportRuntime as report } from '../executor/report.js';
import type { CoreOptions } from '../executor/wasm/core_source.js';
import { type Inspection, type InspectOptions, inspectModel as inspect } from '../inspect.js';
import { type LoadOptions, loadModel as load, type Model } from '../load.js';
import type { ModelLocation } from '../model/file_tree.js';
import { inlineCores } from './inline_core.js';

export * from '../errors.js';
export { Model } from '../load.js';
export { Sampler } from '../sampler/sampler.js';
export { chromeTrace } from '../trace/chrome_trace.js';
export { TraceSummary } from '../trace/trace_summary.js';

export function loadModel(location: ModelLocation, options: LoadOptions = {}): Promise<Model> {
  return load(location, { ...options, core: inline(options.core) });
}

export function inspectModel(
  location: ModelLocation,
  options: InspectOptions = {},
): Promise<Inspection> {
  return inspect(location, { ...options, core: inline(options.core) });
}

export function reportRuntime(options: ReportOptions = {}): ReturnType<typeof report> {
  return report({ ...options, core: inline(options.core) });
}

function inline(core: CoreOptions = {}): CoreOptions {
  return { ...core, wasm: core.wasm ?? inlineCores(), worker: core.worker ?? worker() };
}

function worker(): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(WORKER)}`);
}
