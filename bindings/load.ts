// A checkpoint becomes a model: opened, checked against its plan, packed into an executor.

import { DisposedError, OptionError, show } from './errors.js';
import type { Executor, MemoryNeed, RuntimeInfo } from './executor/executor.js';
import { createExecutor, startCore } from './executor/select.js';
import type { Prompt } from './generate/prompt.js';
import {
  complete,
  type GenerateChunk,
  type GenerateOptions,
  type GenerateResult,
  generate,
} from './generate.js';
import { withWeights } from './load/compressor.js';
import {
  checkLoadOptions,
  checkSessionOptions,
  type LoadOptions,
  type SessionOptions,
} from './load/options.js';
import { type Checkpoint, openCheckpoint } from './model/checkpoint.js';
import type { ModelConfig } from './model/config.js';
import { locationName, type ModelLocation } from './model/file_tree.js';
import { checkTiedHead } from './model/tied_head.js';
import { checkWeights } from './plan/check.js';
import { planFor } from './plan/plan_for.js';
import { samplerDefaults } from './sampler/defaults.js';
import type { SamplerOptions } from './sampler/sampler.js';
import { KvPages } from './session/kv_pages.js';
import type { SessionOwner } from './session/owner.js';
import { Session } from './session/session.js';
import { TurnQueue } from './session/turn_queue.js';
import { findChatTemplate } from './text/chat_template.js';
import { missingTokenizer } from './text/missing_tokenizer.js';
import { createTokenizer, type Tokenizer } from './text/tokenizer.js';

export type { LoadOptions, SessionOptions } from './load/options.js';

/**
 * Loads a model: a directory in Hugging Face's layout or one `.safetensors` file, by path or URL; or their
 * bytes.
 * @throws OptionError for a bad option, SourceError for what cannot be read, FormatError and ShapeError for
 *   files that do not mean what they say, UnsupportedError for models halfbyte does not run, CapacityError if
 *   memory is short, `signal.reason` when aborted
 */
export function loadModel(location: ModelLocation, options: LoadOptions = {}): Promise<Model> {
  return loadSeen(location, options, () => {});
}

/** As `loadModel`. @param see gets the checkpoint while it is open */
export async function loadSeen(
  location: ModelLocation,
  options: LoadOptions,
  see: (checkpoint: Checkpoint) => void,
): Promise<Model> {
  const started = performance.now();
  checkLoadOptions(options);
  options.signal?.throwIfAborted();
  const module = startCore(options);
  const checkpoint = await openCheckpoint(location, options);
  try {
    const { config } = checkpoint;
    const plan = planFor(config);
    checkWeights(plan, checkpoint.weights, checkpoint.name);
    const texts = readTexts(checkpoint);
    await checkTiedHead(checkpoint, options.signal);
    const executor = await withWeights(checkpoint, options.compress, options, (packed) => {
      see(packed);
      return createExecutor(plan, packed, options, module);
    });
    await confirm(checkpoint, executor, options);
    const loadMs = performance.now() - started;
    return new Model({
      location: locationName(location),
      config,
      texts,
      executor,
      loadMs,
    });
  } finally {
    await checkpoint.close();
  }
}

/** What was packed is one version of the files, and still wanted; else it is freed. */
async function confirm(
  checkpoint: Checkpoint,
  executor: Executor,
  { signal }: LoadOptions,
): Promise<void> {
  try {
    await checkpoint.checkUnchanged();
    signal?.throwIfAborted();
  } catch (error) {
    await executor.dispose();
    throw error;
  }
}

/** What is made of the texts beside the weights. */
interface ModelTexts {
  readonly tokenizer: Tokenizer | null;
  readonly chatTemplate: string | null;
  readonly samplerDefaults: SamplerOptions;
}

function readTexts({ texts, config }: Checkpoint): ModelTexts {
  return {
    tokenizer: texts.tokenizer === null ? null : createTokenizer(texts, config),
    chatTemplate: findChatTemplate(texts),
    samplerDefaults: samplerDefaults(texts.generationConfig),
  };
}

interface ModelParts {
  readonly location: string;
  readonly config: ModelConfig;
  readonly texts: ModelTexts;
  readonly executor: Executor;
  readonly loadMs: number;
}

/** A loaded model. `dispose()` frees its memory and workers. */
export class Model {
  /** Where it was loaded from. */
  readonly location: string;
  readonly config: ModelConfig;
  /** Bytes taken; kvCache is that of one full context. */
  readonly memory: MemoryNeed;
  /** Whether logits are bit-identical on every machine. */
  readonly deterministic: boolean;
  readonly loadMs: number;
  /** Jinja text that makes a prompt of messages. */
  readonly chatTemplate: string | null;
  /** Sampling options of generation_config.json. */
  readonly samplerDefaults: SamplerOptions;
  readonly #tokenizer: Tokenizer | null;
  readonly #owner: SessionOwner;
  #disposing: Promise<void> | null = null;

  /** Use `loadModel`. */
  constructor({ location, config, texts, executor, loadMs }: ModelParts) {
    this.location = location;
    this.config = config;
    this.memory = executor.memory;
    this.deterministic = executor.runtime.device === 'wasm';
    this.loadMs = loadMs;
    this.chatTemplate = texts.chatTemplate;
    this.samplerDefaults = texts.samplerDefaults;
    this.#tokenizer = texts.tokenizer;
    this.#owner = {
      executor,
      pages: new KvPages(executor.kv),
      turns: new TurnQueue(),
      vocabSize: config.vocabSize,
      sessions: new Set(),
      known: new WeakSet(),
    };
  }

  /**
   * Device, threads and SIMD level that run it, and why not better ones. With `threads: 'auto'` it changes if
   * some of the threads cannot be started when there is work for them: the model goes on without these.
   */
  get runtime(): RuntimeInfo {
    return this.#owner.executor.runtime;
  }

  /** @throws FormatError if the checkpoint has none */
  get tokenizer(): Tokenizer {
    if (this.#tokenizer === null) throw missingTokenizer(this.location);
    return this.#tokenizer;
  }

  /** Bytes of KV pages that sessions hold now. */
  get kvBytesInUse(): number {
    return this.#owner.pages.inUse * this.#owner.pages.pool.pageBytes;
  }

  /**
   * An empty session.
   * @throws OptionError for a context length out of range, CapacityError if memory is short, DisposedError
   */
  async createSession(options: SessionOptions = {}): Promise<Session> {
    this.#use();
    checkSessionOptions(options);
    const most = this.config.contextLength;
    const length = options.contextLength ?? most;
    if (!Number.isInteger(length) || length < 1 || length > most) {
      throw new OptionError(
        `[session] contextLength: expected an integer from 1 to ${most}, came ${show(length)}`,
      );
    }
    return this.#owner.turns.run(() => {
      this.#use();
      return new Session(this.#owner, length);
    });
  }

  /**
   * Generates text as it comes, `{ text, token }` by token; the generator returns a `GenerateResult`.
   * Sampling options that are not given come from the model's generation_config.json: temperature (0 where
   * `do_sample` is false), top_k, top_p, min_p, repetition_penalty. Without one, temperature is 1 and nothing
   * is filtered.
   * @throws OptionError for a bad option or an empty prompt, at once; while running CapacityError for a prompt
   *   longer than the context, FormatError for logits that are not finite, DisposedError, `signal.reason` when
   *   aborted
   */
  generate(
    prompt: Prompt,
    options: GenerateOptions = {},
  ): AsyncGenerator<GenerateChunk, GenerateResult, void> {
    this.#useWith(options);
    return generate(this, prompt, options);
  }

  /** Generates all text, then returns it. @throws as `generate` */
  async complete(prompt: Prompt, options: GenerateOptions = {}): Promise<GenerateResult> {
    this.#useWith(options);
    return complete(this, prompt, options);
  }

  /**
   * Disposes all sessions, ends the workers and drops the memory. Calls under way end with a DisposedError.
   * May be called twice.
   */
  dispose(): Promise<void> {
    this.#disposing ??= this.#dispose();
    return this.#disposing;
  }

  async #dispose(): Promise<void> {
    const { sessions, turns, executor } = this.#owner;
    // A fork under way may add one while others are being disposed.
    while (sessions.size > 0) {
      await Promise.all([...sessions].map((session) => session.dispose()));
    }
    await turns.run(() => executor.dispose());
  }

  #useWith({ session }: GenerateOptions): void {
    this.#use();
    if (!session || this.#owner.known.has(session)) return;
    throw new OptionError('[generate] session: expected one of this model, came one of another');
  }

  #use(): void {
    if (this.#disposing) throw new DisposedError(`[model] ${this.location} was disposed`);
  }
}
