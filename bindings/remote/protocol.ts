// The messages between a page and the worker that holds its model.

import type { RuntimeInfo } from '../executor/executor.js';
import type { RuntimeReport } from '../executor/report.js';
import type { CoreOptions } from '../executor/wasm/core_source.js';
import type { Prompt } from '../generate/prompt.js';
import type { GenerateChunk, GenerateOptions, GenerateResult } from '../generate.js';
import type { Inspection } from '../inspect.js';
import type { LoadOptions, Model, SessionOptions } from '../load.js';
import type { ModelLocation } from '../model/file_tree.js';
import type { Progress } from '../model/progress.js';
import type { SamplerOptions } from '../sampler/sampler.js';
import type { TokenizerTexts } from '../text/tokenizer.js';
import type { StepTrace } from '../trace/step_trace.js';

/** Options without what cannot be sent: signals and callbacks have messages of their own. */
export interface WireOptions {
  readonly wantsProgress: boolean;
}

export interface WireLoadOptions extends WireOptions {
  readonly options: Omit<
    LoadOptions,
    'signal' | 'onProgress' | 'onTrace' | 'fetch' | 'core' | 'compress'
  >;
  readonly core: CoreOptions | undefined;
  /** The page has a `fetch` of its own. */
  readonly pageFetches: boolean;
  readonly wantsTrace: boolean;
}

export interface WireGenerateOptions extends WireOptions {
  readonly options: Omit<GenerateOptions, 'signal' | 'onProgress' | 'session'>;
  readonly session: number | null;
}

/** A page's sampler: the host keeps its twin, which draws the random numbers. */
export interface WireSampler {
  readonly id: number;
  readonly options: SamplerOptions;
}

type Fact =
  | 'location'
  | 'config'
  | 'runtime'
  | 'memory'
  | 'deterministic'
  | 'loadMs'
  | 'chatTemplate'
  | 'samplerDefaults';

/** What is told about a model when it is loaded: of all this only the runtime may change. */
export type ModelFacts = Pick<Model, Fact> & { readonly texts: TokenizerTexts };

export interface SessionFacts {
  readonly session: number;
  readonly contextLength: number;
  readonly tokens: readonly number[];
}

/** What can be asked of the host: arguments and result. */
export interface Calls {
  load: { args: [location: ModelLocation, options: WireLoadOptions]; result: ModelFacts };
  inspect: { args: [location: ModelLocation, options: WireLoadOptions]; result: Inspection };
  report: { args: [core: CoreOptions | undefined]; result: RuntimeReport };
  createSession: { args: [options: SessionOptions]; result: SessionFacts };
  generate: { args: [prompt: Prompt, options: WireGenerateOptions]; result: null };
  /** Of the generator that call `generator` made. */
  next: {
    args: [generator: number];
    result: IteratorResult<GenerateChunk, GenerateResult>;
  };
  end: { args: [generator: number]; result: null };
  prefill: {
    args: [session: number, tokens: number[], options: WireOptions];
    result: Float32Array;
  };
  logProbs: {
    args: [session: number, tokens: number[], options: WireOptions];
    result: Float64Array;
  };
  sample: {
    args: [session: number, tokens: number[], options: WireOptions, sampler: WireSampler];
    result: number;
  };
  fork: { args: [session: number]; result: SessionFacts };
  truncate: { args: [session: number, length: number]; result: null };
  disposeSession: { args: [session: number]; result: null };
  dispose: { args: []; result: null };
}

export type CallName = keyof Calls;

/** Tokens of a session from `from` on, which replace what the page knew. */
export interface SessionState {
  readonly session: number;
  readonly from: number;
  readonly tokens: readonly number[];
}

/** What may have changed by a call. */
export interface State {
  readonly kvBytesInUse: number;
  /** Null: as it was told last. */
  readonly runtime: RuntimeInfo | null;
  readonly sessions: readonly SessionState[];
}

export interface WireError {
  readonly name: string;
  readonly message: string;
  /** Of a HalfbyteError. */
  readonly code: string | null;
  readonly stack: string | undefined;
  /** The call's signal was aborted: its reason is the page's. */
  readonly aborted: boolean;
}

/** What `fetch` on the page brought. */
export interface WireResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly type: ResponseType;
  /** Its bytes are pulled, part by part. */
  readonly hasBody: boolean;
}

export type ToHost =
  | { [K in CallName]: { kind: 'call'; id: number; call: K; args: Calls[K]['args'] } }[CallName]
  | { readonly kind: 'cancel'; readonly id: number }
  /** The page has called onProgress. */
  | { readonly kind: 'progressed'; readonly id: number }
  | { readonly kind: 'dropSampler'; readonly id: number }
  | { readonly kind: 'fetched'; readonly id: number; readonly response: WireResponse }
  /** The next part of a body; null: it has ended. */
  | { readonly kind: 'fetchedPart'; readonly id: number; readonly part: Uint8Array | null }
  | { readonly kind: 'fetchFailed'; readonly id: number; readonly reason: string };

export type ToPage =
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown; readonly state: State }
  | {
      readonly kind: 'error';
      readonly id: number;
      readonly error: WireError;
      readonly state: State;
    }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress }
  /** Of a step; comes before the result of the call that ran it. */
  | { readonly kind: 'trace'; readonly step: StepTrace }
  | {
      readonly kind: 'fetch';
      readonly id: number;
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'pullFetch'; readonly id: number }
  | { readonly kind: 'cancelFetch'; readonly id: number };
