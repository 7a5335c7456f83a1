// `--trace FILE`: steps as they run go to FILE as a Chrome trace, and their sums to stderr as a table.

import { headEvents, stepEvents } from '../trace/chrome_trace.js';
import type { StepTrace } from '../trace/step_trace.js';
import { TraceSummary } from '../trace/trace_summary.js';
import type { Terminal } from './command.js';
import type { OptionSpec, Options } from './options.js';
import { type WholeFile, withFile } from './whole_file.js';

export const TRACE: Readonly<Record<string, OptionSpec>> = {
  trace: { value: 'FILE', help: 'time and bytes of ops: Chrome trace in FILE, table on stderr' },
};

const BEGIN = '{"displayTimeUnit":"ms","traceEvents":[\n';
const END = '\n]}\n';

/** A trace that is being written. */
export class TraceFile {
  readonly summary = new TraceSummary();
  readonly #file: WholeFile;
  #steps = 0;

  constructor(file: WholeFile) {
    this.#file = file;
  }

  /** Takes a step; it is written while the next ones run. */
  add(step: StepTrace): void {
    this.summary.add(step);
    const head = this.#steps === 0 ? headEvents(step) : [];
    const events = [...head, ...stepEvents(step)].map((event) => JSON.stringify(event));
    this.#file.write(`${this.#steps++ === 0 ? BEGIN : ',\n'}${events.join(',\n')}`);
  }

  /** Writes what comes after all steps. */
  end(): void {
    this.#file.write(`${this.#steps === 0 ? BEGIN : ''}${END}`);
  }
}

/** Runs `use` with the trace that `--trace` asks for, or null; then completes the file and prints the table. */
export async function withTrace<T>(
  options: Options,
  terminal: Terminal,
  use: (trace: TraceFile | null) => Promise<T>,
): Promise<T> {
  let table = '';
  const result = await withFile(options.text('trace'), '--trace', terminal, async (file) => {
    const trace = file && new TraceFile(file);
    const used = await use(trace);
    trace?.end();
    table = trace?.summary.toString() ?? '';
    return used;
  });
  if (table !== '') terminal.note(`\n${table}`);
  return result;
}
