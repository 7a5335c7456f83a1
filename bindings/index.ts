// The public interface.

export * from './errors.js';
export type { Device, KvType, MemoryNeed, RuntimeInfo, Simd } from './executor/executor.js';
export { type RuntimeReport, reportRuntime } from './executor/report.js';
export type { CoreOptions, CoreSource } from './executor/wasm/core_source.js';
export type { Prompt } from './generate/prompt.js';
export type {
  GenerateChunk,
  GenerateOptions,
  GenerateResult,
  GenerateTimings,
} from './generate.js';
export {
  type Inspection,
  type InspectOptions,
  inspectModel,
  type TensorInspection,
} from './inspect.js';
export type { Compressor } from './load/compressor.js';
export { type LoadOptions, loadModel, Model, type SessionOptions } from './load.js';
export type { ModelConfig } from './model/config.js';
export type { ModelLocation } from './model/file_tree.js';
export type { FetchInit, FetchLike } from './model/files.js';
export type { Progress } from './model/progress.js';
export type { CoreBuild } from './platform/platform.js';
export { Sampler, type SamplerOptions } from './sampler/sampler.js';
export type { LogitsReader, PrefillOptions, StepOptions, TokenChooser } from './session/owner.js';
export type { Session } from './session/session.js';
export type { ChatMessage, ChatOptions } from './text/chat_template.js';
export type { Tokenizer } from './text/tokenizer.js';
export { type ChromeEvent, type ChromeTrace, chromeTrace } from './trace/chrome_trace.js';
export type { OnTrace, OpTrace, StepTrace } from './trace/step_trace.js';
export { type KindSummary, type PhaseSummary, TraceSummary } from './trace/trace_summary.js';
