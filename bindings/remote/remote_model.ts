// A model in a worker, with the interface of one that is here: nothing it does blocks the page.

import { DisposedError } from '../errors.js';
import { checkGenerateOptions } from '../generate/options.js';
import type { Prompt } from '../generate/prompt.js';
import type { GenerateChunk, GenerateOptions, GenerateResult } from '../generate.js';
import { checkSessionOptions } from '../load/options.js';
import type { Model, SessionOptions } from '../load.js';
import type { Session } from '../session/session.js';
import { missingTokenizer } from '../text/missing_tokenizer.js';
import { createTokenizer, type Tokenizer } from '../text/tokenizer.js';
import type { Connection } from './connection.js';
import type { ModelFacts, State } from './protocol.js';
import { RemoteSession, SamplerIds, type SessionHome } from './remote_session.js';

/**
 * A disposed model's threads need a moment to be gone. Chromium never ends a worker, nor frees its memory, if it is
 * terminated while one that it started is just ending.
 */
const THREADS_LEAVE_MS = 300;

/** The same interface as `Model`. */
export class RemoteModel implements Pick<Model, keyof Model> {
  readonly location: Model['location'];
  readonly config: Model['config'];
  readonly memory: Model['memory'];
  readonly deterministic: boolean;
  readonly loadMs: number;
  readonly chatTemplate: string | null;
  readonly samplerDefaults: Model['samplerDefaults'];
  readonly #texts: ModelFacts['texts'];
  readonly #home: SessionHome;
  #tokenizer: Tokenizer | null = null;
  #runtime: Model['runtime'];
  #kvBytesInUse = 0;
  #disposing: Promise<void> | null = null;

  /** Use `loadModel`. */
  constructor(connection: Connection, facts: ModelFacts) {
    this.location = facts.location;
    this.config = facts.config;
    this.#runtime = facts.runtime;
    this.memory = facts.memory;
    this.deterministic = facts.deterministic;
    this.loadMs = facts.loadMs;
    this.chatTemplate = facts.chatTemplate;
    this.samplerDefaults = facts.samplerDefaults;
    this.#texts = facts.texts;
    this.#home = { connection, sessions: new Map(), samplers: new SamplerIds(connection) };
    connection.onState = (state) => this.#update(state);
  }

  /** Made when first asked for, on the page: generating does not need it here. */
  get tokenizer(): Tokenizer {
    if (this.#texts.tokenizer === null) throw missingTokenizer(this.location);
    this.#tokenizer ??= createTokenizer(this.#texts, this.config);
    return this.#tokenizer;
  }

  get runtime(): Model['runtime'] {
    return this.#runtime;
  }

  get kvBytesInUse(): number {
    return this.#kvBytesInUse;
  }

  async createSession(options: SessionOptions = {}): Promise<Session> {
    this.#use();
    checkSessionOptions(options);
    const facts = await this.#home.connection.call('createSession', [options]);
    return new RemoteSession(this.#home, facts) as unknown as Session;
  }

  generate(
    prompt: Prompt,
    options: GenerateOptions = {},
  ): AsyncGenerator<GenerateChunk, GenerateResult, void> {
    this.#use();
    checkGenerateOptions(options, this.samplerDefaults);
    return this.#generate(prompt, options);
  }

  async complete(prompt: Prompt, options: GenerateOptions = {}): Promise<GenerateResult> {
    const chunks = this.generate(prompt, options);
    for (;;) {
      const next = await chunks.next();
      if (next.done) return next.value;
    }
  }

  dispose(): Promise<void> {
    this.#disposing ??= this.#dispose();
    return this.#disposing;
  }

  async *#generate(
    prompt: Prompt,
    { signal, onProgress, session, ...options }: GenerateOptions,
  ): AsyncGenerator<GenerateChunk, GenerateResult, void> {
    const { connection } = this.#home;
    const step = { signal, onProgress };
    const id = connection.nextId();
    const held = session ? (session as unknown as RemoteSession).id : null;
    const wire = { options, session: held, wantsProgress: onProgress !== undefined };
    await connection.call('generate', [prompt, wire], { signal }, id);
    let ended = false;
    try {
      for (;;) {
        const next = await connection.call('next', [id], step);
        ended = next.done === true;
        if (next.done) return next.value;
        yield next.value;
      }
    } finally {
      if (!ended && !connection.closed) await connection.call('end', [id]);
    }
  }

  async #dispose(): Promise<void> {
    const { connection, sessions } = this.#home;
    const error = new DisposedError(`[model] ${this.location} was disposed`);
    if (!connection.closed) await connection.call('dispose', []);
    await Promise.all([...sessions.values()].map((session) => session.dispose()));
    connection.close(error, THREADS_LEAVE_MS);
    this.#kvBytesInUse = 0;
  }

  #use(): void {
    if (this.#disposing) throw new DisposedError(`[model] ${this.location} was disposed`);
  }

  #update({ kvBytesInUse, runtime, sessions }: State): void {
    this.#kvBytesInUse = kvBytesInUse;
    if (runtime) this.#runtime = runtime;
    for (const state of sessions) this.#home.sessions.get(state.session)?.update(state);
  }
}
