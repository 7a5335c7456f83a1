// What every command is given, and is.

import type { CommandSpec, Options } from './options.js';

export interface Terminal {
  /** Writes to stdout: results only. */
  write(text: string): void;
  /** Writes a line to stderr: progress, closing lines. */
  note(line: string): void;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly spec: CommandSpec;
  run(options: Options, terminal: Terminal): Promise<void>;
}

/** Prints a result as one JSON object, on one line. */
export function writeJson(terminal: Terminal, result: unknown): void {
  terminal.write(`${JSON.stringify(result)}\n`);
}
