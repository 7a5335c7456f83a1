// A session whose pages are in the worker.

import { DisposedError, UnsupportedError } from '../errors.js';
import { Sampler } from '../sampler/sampler.js';
import {
  checkStepOptions,
  type PrefillOptions,
  type StepOptions,
  type TokenChooser,
} from '../session/owner.js';
import type { Session } from '../session/session.js';
import type { Connection } from './connection.js';
import type { SessionFacts, SessionState, WireSampler } from './protocol.js';

/** What sessions of one model share on the page. */
export interface SessionHome {
  readonly connection: Connection;
  readonly sessions: Map<number, RemoteSession>;
  readonly samplers: SamplerIds;
}

/** The same interface as `Session`. */
export class RemoteSession implements Pick<Session, keyof Session> {
  readonly contextLength: number;
  readonly #id: number;
  readonly #home: SessionHome;
  readonly #tokens: number[] = [];
  #disposed = false;

  constructor(home: SessionHome, { session, contextLength }: SessionFacts) {
    this.contextLength = contextLength;
    this.#id = session;
    this.#home = home;
    home.sessions.set(session, this);
  }

  get length(): number {
    return this.#tokens.length;
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /** Its number, for the worker. @throws DisposedError */
  get id(): number {
    if (this.#disposed) throw new DisposedError('[session] it was disposed');
    return this.#id;
  }

  /** Takes over what the worker tells. */
  update({ from, tokens }: SessionState): void {
    this.#tokens.length = from;
    for (const token of tokens) this.#tokens.push(token);
  }

  async prefill(tokens: ArrayLike<number>, options: PrefillOptions = {}): Promise<Float32Array> {
    const { connection } = this.#home;
    return connection.call('prefill', [this.id, Array.from(tokens), wire(options)], options);
  }

  async decode(token: number, options: StepOptions = {}): Promise<Float32Array> {
    return this.prefill([token], options);
  }

  /** @param sampler a `Sampler`: other choosers cannot run in the worker */
  async sample(
    tokens: ArrayLike<number>,
    sampler: TokenChooser,
    options: PrefillOptions = {},
  ): Promise<number> {
    const { connection, samplers } = this.#home;
    const given = Array.from(tokens);
    const twin = samplers.wire(sampler);
    return connection.call('sample', [this.id, given, wire(options), twin], options);
  }

  async logProbs(tokens: ArrayLike<number>, options: PrefillOptions = {}): Promise<Float64Array> {
    const { connection } = this.#home;
    return connection.call('logProbs', [this.id, Array.from(tokens), wire(options)], options);
  }

  async fork(): Promise<Session> {
    const facts = await this.#home.connection.call('fork', [this.id]);
    const other = new RemoteSession(this.#home, facts);
    other.update({ session: facts.session, from: 0, tokens: facts.tokens });
    return other as unknown as Session;
  }

  async truncate(length: number): Promise<void> {
    await this.#home.connection.call('truncate', [this.id, length]);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const { connection, sessions } = this.#home;
    if (!connection.closed) await connection.call('disposeSession', [this.#id]);
    sessions.delete(this.#id);
  }
}

function wire(options: PrefillOptions): { wantsProgress: boolean } {
  checkStepOptions(options);
  return { wantsProgress: options.onProgress !== undefined };
}

/** Numbers of the page's samplers, whose twins in the worker go when the page's do. */
export class SamplerIds {
  readonly #ids = new WeakMap<TokenChooser, number>();
  readonly #gone: FinalizationRegistry<number>;
  #last = 0;

  constructor(connection: Connection) {
    this.#gone = new FinalizationRegistry((id) => connection.dropSampler(id));
  }

  /** @throws UnsupportedError */
  wire(sampler: TokenChooser): WireSampler {
    if (!(sampler instanceof Sampler)) {
      throw new UnsupportedError('[sample] a model in a worker takes a Sampler, no other chooser');
    }
    let id = this.#ids.get(sampler);
    if (id === undefined) {
      id = ++this.#last;
      this.#ids.set(sampler, id);
      this.#gone.register(sampler, id);
    }
    const { temperature, topK, topP, minP, repetitionPenalty, seed } = sampler;
    const { allowedTokens } = sampler;
    const logitBias = Object.fromEntries(sampler.logitBias);
    const limits = { topK, topP, minP, repetitionPenalty };
    return { id, options: { temperature, ...limits, seed, logitBias, allowedTokens } };
  }
}
