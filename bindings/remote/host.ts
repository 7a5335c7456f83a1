// The worker's end: holds the model and answers the page's calls.

import { DisposedError } from '../errors.js';
import type { RuntimeInfo } from '../executor/executor.js';
import { reportRuntime } from '../executor/report.js';
import type { GenerateChunk, GenerateResult } from '../generate.js';
import { inspectModel } from '../inspect.js';
import { type LoadOptions, loadSeen, type Model } from '../load.js';
import type { Progress } from '../model/progress.js';
import { Sampler } from '../sampler/sampler.js';
import type { PrefillOptions } from '../session/owner.js';
import type { Session } from '../session/session.js';
import { HostFetch } from './host_fetch.js';
import { SessionTable } from './host_sessions.js';
import type {
  CallName,
  Calls,
  ModelFacts,
  State,
  ToHost,
  ToPage,
  WireLoadOptions,
  WireOptions,
  WireSampler,
} from './protocol.js';
import { packError } from './wire_errors.js';

/** A call under way. */
class Task {
  readonly id: number;
  readonly controller = new AbortController();
  /** Progress messages that the page has not answered. */
  unanswered = 0;
  onAnswered: () => void = () => {};
  /** Whose progress the page is told. */
  reportTo: Task = this;

  constructor(id: number) {
    this.id = id;
  }
}

type Generation = AsyncGenerator<GenerateChunk, GenerateResult, void>;
type Handlers = {
  [K in CallName]: (task: Task, ...args: Calls[K]['args']) => Promise<Calls[K]['result']>;
};

export class Host {
  readonly #post: (message: ToPage) => void;
  readonly #fetch: HostFetch;
  readonly #sessions = new SessionTable();
  readonly #samplers = new Map<number, Sampler>();
  readonly #generations = new Map<number, { generation: Generation; task: Task }>();
  readonly #tasks = new Map<number, Task>();
  #model: Model | null = null;
  #toldRuntime: RuntimeInfo | null = null;

  constructor(post: (message: ToPage) => void) {
    this.#post = post;
    this.#fetch = new HostFetch(post);
  }

  receive(message: ToHost): void {
    switch (message.kind) {
      case 'call':
        return void this.#answer(message);
      case 'cancel':
        return this.#tasks.get(message.id)?.controller.abort();
      case 'progressed': {
        const task = this.#tasks.get(message.id);
        if (task && --task.unanswered <= 0) task.onAnswered();
        return;
      }
      case 'dropSampler':
        return void this.#samplers.delete(message.id);
      default:
        return this.#fetch.receive(message);
    }
  }

  async #answer({ id, call, args }: Extract<ToHost, { kind: 'call' }>): Promise<void> {
    const task = new Task(id);
    this.#tasks.set(id, task);
    try {
      // The handler of a call takes that call's arguments; the union of all does not tell.
      const handler = this.#handlers[call] as (task: Task, ...args: unknown[]) => Promise<unknown>;
      const value = await handler(task, ...args);
      this.#post({ kind: 'result', id, value, state: this.#state() });
    } catch (error) {
      const { signal } = task.controller;
      const aborted = signal.aborted && error === signal.reason;
      const packed = packError(error, aborted);
      this.#post({ kind: 'error', id, error: packed, state: this.#state() });
    } finally {
      this.#tasks.delete(id);
    }
  }

  readonly #handlers: Handlers = {
    load: async (task, location, wire) => {
      let texts: ModelFacts['texts'] = { tokenizer: null, tokenizerConfig: null };
      const options = this.#loadOptions(task, wire);
      this.#model = await loadSeen(location, options, (checkpoint) => {
        const { tokenizer, tokenizerConfig } = checkpoint.texts;
        texts = { tokenizer, tokenizerConfig };
      });
      return facts(this.#model, texts);
    },
    inspect: (task, location, wire) => inspectModel(location, this.#loadOptions(task, wire)),
    report: (_task, core) => reportRuntime({ core }),
    createSession: async (_task, options) =>
      this.#sessions.add(await this.#use().createSession(options)),
    generate: async (task, prompt, { options, session, wantsProgress }) => {
      const generation = this.#use().generate(prompt, {
        ...options,
        ...this.#stepOptions(task, { wantsProgress }),
        ...(session !== null && { session: this.#sessions.get(session) }),
      });
      this.#generations.set(task.id, { generation, task });
      return null;
    },
    next: async (task, id) => {
      const running = this.#generations.get(id);
      if (!running) throw new DisposedError('[generate] it has ended');
      const { generation, task: owner } = running;
      const { signal } = task.controller;
      // The generation runs with the signal and the progress of its own call, which stand for this one's.
      signal.addEventListener('abort', () => owner.controller.abort(signal.reason));
      owner.reportTo = task;
      try {
        const next = await generation.next();
        await this.#answered(task);
        if (next.done) this.#generations.delete(id);
        return next;
      } catch (error) {
        this.#generations.delete(id);
        throw error;
      }
    },
    end: async (_task, id) => {
      const running = this.#generations.get(id);
      this.#generations.delete(id);
      await running?.generation.return(undefined as unknown as GenerateResult);
      return null;
    },
    prefill: (task, id, tokens, wire) =>
      this.#append(task, id, wire, (session, options) => session.prefill(tokens, options)),
    logProbs: (task, id, tokens, wire) =>
      this.#append(task, id, wire, (session, options) => session.logProbs(tokens, options)),
    sample: (task, id, tokens, wire, sampler) =>
      this.#append(task, id, wire, (session, options) =>
        session.sample(tokens, this.#sampler(sampler), options),
      ),
    fork: async (_task, id) => this.#sessions.add(await this.#sessions.get(id).fork()),
    truncate: async (_task, id, length) => {
      await this.#sessions.get(id).truncate(length);
      return null;
    },
    disposeSession: async (_task, id) => {
      await this.#sessions.remove(id);
      return null;
    },
    dispose: async () => {
      await this.#model?.dispose();
      return null;
    },
  };

  /**
   * Runs a step. The page may abort in reply to progress, which arrives when the step is done already: then
   * it is taken back.
   */
  async #append<T>(
    task: Task,
    id: number,
    wire: WireOptions,
    step: (session: Session, options: PrefillOptions) => Promise<T>,
  ): Promise<T> {
    const session = this.#sessions.get(id);
    const before = session.length;
    const result = await step(session, this.#stepOptions(task, wire));
    try {
      await this.#answered(task);
      return result;
    } catch (aborted) {
      await session.truncate(before);
      throw aborted;
    }
  }

  /** Waits until the page has seen all progress, as it may abort by it. @throws `signal.reason` */
  async #answered(task: Task): Promise<void> {
    if (task.unanswered > 0) {
      await new Promise<void>((done) => {
        task.onAnswered = done;
      });
    }
    task.controller.signal.throwIfAborted();
  }

  #stepOptions(task: Task, { wantsProgress }: WireOptions) {
    const onProgress = (progress: Progress) => {
      const { reportTo } = task;
      reportTo.unanswered++;
      this.#post({ kind: 'progress', id: reportTo.id, progress });
    };
    return { signal: task.controller.signal, ...(wantsProgress && { onProgress }) };
  }

  #loadOptions(task: Task, wire: WireLoadOptions): LoadOptions {
    const { options, core, pageFetches, wantsTrace, wantsProgress } = wire;
    return {
      ...options,
      ...(core && { core }),
      ...(wantsTrace && { onTrace: (step) => this.#post({ kind: 'trace', step }) }),
      ...(pageFetches && { fetch: this.#fetch.fetch }),
      ...this.#stepOptions(task, { wantsProgress }),
    };
  }

  #sampler({ id, options }: WireSampler): Sampler {
    const known = this.#samplers.get(id) ?? new Sampler(options);
    this.#samplers.set(id, known);
    known.allowedTokens = options.allowedTokens ?? null;
    return known;
  }

  #use(): Model {
    if (!this.#model) throw new Error('[host] no model is loaded');
    return this.#model;
  }

  #state(): State {
    const kvBytesInUse = this.#model?.kvBytesInUse ?? 0;
    const known = this.#toldRuntime;
    this.#toldRuntime = this.#model?.runtime ?? null;
    const runtime = this.#toldRuntime === known ? null : this.#toldRuntime;
    return { kvBytesInUse, runtime, sessions: this.#sessions.changes() };
  }
}

function facts(model: Model, texts: ModelFacts['texts']): ModelFacts {
  const { location, config, runtime, memory, deterministic, loadMs } = model;
  const { chatTemplate, samplerDefaults } = model;
  return {
    location,
    config,
    runtime,
    memory,
    deterministic,
    loadMs,
    chatTemplate,
    samplerDefaults,
    texts,
  };
}
