import { OptionError } from '../errors.js';
import type { Prompt } from '../generate/prompt.js';
import type { GenerateOptions, GenerateResult } from '../generate.js';
import type { Model } from '../load.js';
import type { Session } from '../session/session.js';
import type { ChatMessage } from '../text/chat_template.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { COMMON, type Options } from './options.js';
import { RUNTIME, withModel } from './run_model.js';
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
      prompt: { value: 'TEXT', help: 'text to continue; with --chat, what the user says' },
      chat: { help: "speak through the model's chat template" },
      system: { value: 'S', help: 'system message of a chat' },
      'max-tokens': { value: 'N', help: 'most tokens; 0: prompt only (default: the context)' },
      temperature: { value: 'T', help: "0: the likeliest token (default: the model's, or 1)" },
      'top-k': { value: 'K', help: 'draw among the K likeliest; 0: all' },
      'top-p': { value: 'P', help: 'draw among the likeliest that reach P together' },
      'min-p': { value: 'P', help: 'draw among those P times as likely as the likeliest' },
      seed: { value: 'S', help: 'whole number; the same seed gives the same text' },
      stop: { value: 'S', multiple: true, help: 'text that ends it; may be repeated' },
      ...TRACE,
      ...RUNTIME,
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const settings = generateOptions(options, terminal);
    const prompt = options.text('prompt');
    const chat = options.has('chat');
    if (prompt === undefined && !chat) {
      throw new OptionError('[generate] expected --prompt TEXT or --chat, came neither');
    }
    if (options.text('system') !== undefined && !chat) {
      throw new OptionError('[generate] --system needs --chat');
    }
    const speak = async (model: Model, bits: number) => {
      const session = await model.createSession();
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
    seed: options.whole('seed', 0),
    stop: options.texts('stop'),
    signal,
  };
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
    const result = await this.#generate(chat ? this.#messages : text, !json);
    if (chat) this.#messages.push({ role: 'assistant', content: result.text });
    if (json) writeJson(this.#terminal, this.#report(text, result));
    else this.#close(result);
  }

  /** The session keeps what the next prompt has in common with this one. */
  async #generate(prompt: Prompt, aloud: boolean): Promise<GenerateResult> {
    const settings = { ...this.#settings, session: this.#session };
    const chunks = this.#model.generate(prompt, settings);
    for (;;) {
      const next = await chunks.next();
      if (next.done) return next.value;
      if (aloud) this.#terminal.write(next.value.text);
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
