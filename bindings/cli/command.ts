// What every command is given, and is.

import type { CommandSpec, Options } from './options.js';
import { printable } from './printable.js';

export interface Terminal {
  /** Writes to stdout: results only. */
  write(text: string): void;
  /** Writes a line to stderr: progress, closing lines. */
  note(line: string): void;
  /** Aborted by Ctrl-C, and when nobody takes what `write` gets. */
  readonly signal: AbortSignal;
  /** Before anything is made that must be cleared away: resolves when no signal ends the process without. */
  holdSignals(): Promise<void>;
}

export interface Command {
  readonly spec: CommandSpec;
  run(options: Options, terminal: Terminal): Promise<void>;
}

/** Prints a result as one JSON object, on one line; escapes of JSON keep its texts as they are. */
export function writeJson(terminal: Terminal, result: unknown): void {
  terminal.write(`${printable(JSON.stringify(result))}\n`);
}
