// `--trace FILE`: steps as they run go to FILE as a Chrome trace, and their sums to stderr as a table.

import { createFile, type FileSink, fileKind, remove, rename, resolvePath } from '#platform';
import { OptionError } from '../errors.js';
import { headEvents, stepEvents } from '../trace/chrome_trace.js';
import type { StepTrace } from '../trace/step_trace.js';
import { TraceSummary } from '../trace/trace_summary.js';
import type { Terminal } from './command.js';
import type { OptionSpec, Options } from './options.js';

export const TRACE: Readonly<Record<string, OptionSpec>> = {
  trace: { value: 'FILE', help: 'time and bytes of ops: Chrome trace in FILE, table on stderr' },
};

const BEGIN = '{"displayTimeUnit":"ms","traceEvents":[\n';
const END = '\n]}\n';

/** A trace that is being written, under a temporary name until it is whole. */
export class TraceFile {
  readonly summary = new TraceSummary();
  readonly #path: string;
  readonly #temporary: string;
  readonly #sink: FileSink;
  #written = Promise.resolve();
  #steps = 0;

  private constructor(path: string, temporary: string, sink: FileSink) {
    this.#path = path;
    this.#temporary = temporary;
    this.#sink = sink;
  }

  /** @throws OptionError for a path that cannot be a file's, SourceError if it cannot be written */
  static async create(file: string): Promise<TraceFile> {
    if (file === '') throw new OptionError('[--trace] expected a path, came an empty string');
    const path = await resolvePath(file);
    if ((await fileKind(path)) === 'directory') {
      throw new OptionError(`[--trace] expected a file, came the directory ${file}`);
    }
    const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
    return new TraceFile(path, temporary, await createFile(temporary));
  }

  /** Takes a step; it is written while the next ones run. */
  add(step: StepTrace): void {
    this.summary.add(step);
    const head = this.#steps === 0 ? headEvents(step) : [];
    const events = [...head, ...stepEvents(step)].map((event) => JSON.stringify(event));
    this.#write(`${this.#steps++ === 0 ? BEGIN : ',\n'}${events.join(',\n')}`);
  }

  /** Puts the whole trace in FILE's place. @throws SourceError */
  async finish(): Promise<void> {
    this.#write(`${this.#steps === 0 ? BEGIN : ''}${END}`);
    await this.#written;
    await this.#sink.close();
    await rename(this.#temporary, this.#path);
  }

  /** Removes what `finish` has not put in place. */
  async discard(): Promise<void> {
    await this.#written.catch(() => undefined);
    await this.#sink.close().finally(() => remove(this.#temporary));
  }

  /** A failure is kept for `finish`. */
  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#written = this.#written.then(() => this.#sink.write(bytes));
    this.#written.catch(() => undefined);
  }
}

/** Runs `use` with the trace that `--trace` asks for, or null; then completes the file and prints the table. */
export async function withTrace<T>(
  options: Options,
  terminal: Terminal,
  use: (trace: TraceFile | null) => Promise<T>,
): Promise<T> {
  const path = options.text('trace');
  if (path === undefined) return use(null);
  await terminal.holdSignals();
  const trace = await TraceFile.create(path);
  try {
    const result = await use(trace);
    await trace.finish();
    const table = trace.summary.toString();
    if (table !== '') terminal.note(`\n${table}`);
    return result;
  } catch (error) {
    // Why it failed matters more than what could not be cleared away.
    await trace.discard().catch(() => undefined);
    throw error;
  }
}
