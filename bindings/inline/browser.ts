// `halfbyte/inline` in a browser: one file, with the core and the worker in it.

import type { ReportOptions } from '../executor/report.js';
import type { CoreOptions } from '../executor/wasm/core_source.js';
import type { Inspection, InspectOptions } from '../inspect.js';
import type { LoadOptions, Model } from '../load.js';
import type { ModelLocation } from '../model/file_tree.js';
import * as client from '../remote/client.js';
import { inlineCores } from './inline_core.js';

export * from '../errors.js';
export { RemoteModel as Model } from '../remote/remote_model.js';
export { Sampler } from '../sampler/sampler.js';
export { chromeTrace } from '../trace/chrome_trace.js';
export { TraceSummary } from '../trace/trace_summary.js';

export function loadModel(location: ModelLocation, options: LoadOptions = {}): Promise<Model> {
  return client.loadModel(location, { ...options, core: inline(options.core) });
}

export function inspectModel(
  location: ModelLocation,
  options: InspectOptions = {},
): Promise<Inspection> {
  return client.inspectModel(location, { ...options, core: inline(options.core) });
}

export function reportRuntime(
  options: ReportOptions = {},
): ReturnType<typeof client.reportRuntime> {
  return client.reportRuntime({ ...options, core: inline(options.core) });
}

function inline(core: CoreOptions = {}): CoreOptions {
  return { ...core, wasm: core.wasm ?? inlineCores() };
}
