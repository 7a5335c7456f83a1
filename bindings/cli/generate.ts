import { OptionError } from '../errors.js';
import type { Prompt } from '../generate/prompt.js';
import type { GenerateOptions, GenerateResult } from '../generate.js';
import type { Model } from '../load.js';
import type { Progress } from '../model/progress.js';
import type { Session } from '../session/session.js';
import type { ChatMessage, ChatOptions } from '../text/chat_template.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { COMMON, type Options } from './options.js';
import { ProgressBar } from './progress.js';
import { RUNTIME, withModel } from './run_model.js';
import { readStdin } from './text_file.js';
import { TRACE, withTrace } from './trace_file.js';
import { readTurns } from './turns.js';
import { count, megabytes } from './words.js';

export const generate: Command = {
  spec: {
    name: 'generate',
    summary: 'Continue a text, or chat.',
    usage: [
      'MODEL --prompt TEXT [--chat [--system S]]',
      'MODEL --chat [--system S]      turns from stdin, one a line',
    ],
    options: {
      prompt: { value: 'TEXT', help: 'what to continue or to answer; -: from stdin' },
      echo: { help: 'print the text to continue, too' },
      chat: { help: "speak through the model's chat template" },
      system: { value: 'S', help: 'system message of a chat' },
      'chat-options': { value: 'JSON', help: 'tools and variables of the chat template' },
      'max-tokens': { value: 'N', help: 'most tokens; 0: prompt only (default: the context)' },
      temperature: { value: 'T', help: "0: the likeliest token (default: model's, or 1)" },
      'top-k': { value: 'K', help: 'draw among the K likeliest; 0: all' },
      'top-p': { value: 'P', help: 'draw among the likeliest that reach P together' },
      'min-p': { value: 'P', help: 'draw among those P times as likely as the best' },
      'repetition-penalty': { value: 'R', help: 'above 1: tokens that occurred are less likely' },
      'logit-bias': { value: 'ID=B', multiple: true, help: 'add B to the logit of a token' },
      seed: { value: 'S', help: 'whole number; the same seed gives the same text' },
      stop: { value: 'S', multiple: true, help: 'text that ends it; may be repeated' },
      context: { value: 'N', help: "most tokens, prompt included (default: model's)" },
      ...TRACE,
      ...RUNTIME,
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const settings = generateOptions(options, terminal);
    const contextLength = options.whole('context', 1);
    const given = options.text('prompt');
    const chat = options.has('chat');
    if (given === undefined && !chat) {
      throw new OptionError('[generate] expected --prompt TEXT or --chat, came neither');
    }
    for (const name of ['system', 'chat-options']) {
      if (options.text(name) === undefined || chat) continue;
      throw new OptionError(`[generate] --${name} needs --chat`);
    }
    if (options.has('echo') && chat) throw new OptionError('[generate] --chat has no --echo');
    const prompt = given === '-' ? await readStdin(terminal.signal) : given;
    const speak = async (model: Model, bits: number) => {
      const session = await model.createSession({ contextLength });
      const speaker = new Speaker(model, bits, session, settings, options, terminal);
      if (prompt === undefined) await speaker.converse();
      else await speaker.answer(prompt);
    };
    await withTrace(options, terminal, (trace) => {
      return withModel(options, terminal, speak, trace ? (step) => trace.add(step) : undefined);
    });
  },
};

function generateOptions(options: Options, { signal }: Terminal): GenerateOptions {
  return {
    maxTokens: options.whole('max-tokens', 0),
    temperature: options.number('temperature'),
    topK: options.whole('top-k', 0),
    topP: options.number('top-p'),
    minP: options.number('min-p'),
    repetitionPenalty: options.number('repetition-penalty'),
    logitBias: logitBias(options.texts('logit-bias')),
    chat: chatOptions(options.text('chat-options')),
    seed: options.whole('seed', 0),
    stop: options.texts('stop'),
    signal,
  };
}

/** @param biases `42=-1.5` each */
function logitBias(biases: readonly string[]): Record<number, number> {
  const entries = biases.map((bias) => {
    const [, id, value] = /^(\d+)=(\S+)$/.exec(bias) ?? [];
    if (id !== undefined && !Number.isNaN(Number(value))) return [id, Number(value)] as const;
    const expected = 'a token id and what to add, such as 42=-1.5 or 42=-Infinity';
    throw new OptionError(`[--logit-bias] expected ${expected}, came "${bias}"`);
  });
  return Object.fromEntries(entries);
}

/** The library's own option as it is; generating checks its names. */
function chatOptions(json: string | undefined): ChatOptions | undefined {
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch (cause) {
    throw new OptionError(`[--chat-options] expected JSON, came "${json}"`, { cause });
  }
}

/** Turns prompts into text on stdout; the messages of a chat add up. */
class Speaker {
  readonly #model: Model;
  readonly #bitsPerWeight: number;
  readonly #session: Session;
  readonly #settings: GenerateOptions;
  readonly #options: Options;
  readonly #terminal: Terminal;
  readonly #messages: ChatMessage[] = [];

  constructor(
    model: Model,
    bitsPerWeight: number,
    session: Session,
    settings: GenerateOptions,
    options: Options,
    terminal: Terminal,
  ) {
    this.#model = model;
    this.#bitsPerWeight = bitsPerWeight;
    this.#session = session;
    this.#settings = settings;
    this.#options = options;
    this.#terminal = terminal;
    const system = options.text('system');
    if (system !== undefined) this.#messages.push({ role: 'system', content: system });
  }

  /** A turn for every line of stdin, until it ends. */
  async converse(): Promise<void> {
    for await (const line of readTurns(this.#terminal.signal)) await this.answer(line);
  }

  /** Generates for one prompt or one turn. */
  async answer(text: string): Promise<void> {
    const chat = this.#options.has('chat');
    if (chat) this.#messages.push({ role: 'user', content: text });
    const json = this.#options.has('json');
    const opening = this.#options.has('echo') ? text : '';
    const result = await this.#generate(chat ? this.#messages : text, json ? null : opening);
    if (chat) this.#messages.push({ role: 'assistant', content: result.text });
    if (json) writeJson(this.#terminal, this.#report(text, result));
    else this.#close(result);
  }

  /**
   * The session keeps what the next prompt has in common with this one.
   * @param opening goes before the text; null: nothing is written
   */
  async #generate(prompt: Prompt, opening: string | null): Promise<GenerateResult> {
    const bar = new ProgressBar('reading');
    // A prompt of one step is read before a bar could be.
    const onProgress = ({ done, total }: Progress) => {
      if (done < total) bar.update(done, total);
      else bar.end();
    };
    const settings = { ...this.#settings, session: this.#session, onProgress };
    try {
      const chunks = this.#model.generate(prompt, settings);
      for (let before = opening; ; before &&= '') {
        const next = await chunks.next();
        if (before !== null) this.#terminal.write(before + (next.done ? '' : next.value.text));
        if (next.done) return next.value;
      }
    } finally {
      bar.end();
    }
  }

  #report(prompt: string, result: GenerateResult) {
    const { device, threads, simd } = this.#model.runtime;
    return { prompt, ...result, device, threads, simd };
  }

  /** Ends the text and says what it took. */
  #close({ tokens, timings }: GenerateResult): void {
    const { memory, kvBytesInUse, runtime } = this.#model;
    this.#terminal.write('\n');
    this.#terminal.note(
      [
        count(tokens.length, 'token'),
        `${timings.decodeTokensPerSecond.toFixed(1)} tokens/s`,
        megabytes(memory.weights + memory.arena + kvBytesInUse),
        `${this.#bitsPerWeight.toFixed(2)} bits per weight`,
        count(runtime.threads, 'thread'),
        `${runtime.simd} SIMD`,
      ].join(' · '),
    );
  }
}
