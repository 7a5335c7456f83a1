// The program: finds the command, runs it, turns errors into one line and an exit code.
// 0 done, 1 a failure, 2 a wrong call, 130 Ctrl-C (128 and the signal's number).

import { readFileSync } from 'node:fs';
import { HalfbyteError, OptionError } from '../errors.js';
import { propose } from '../options.js';
import { bench } from './bench.js';
import type { Command, Terminal } from './command.js';
import { compress } from './compress.js';
import { decompress } from './decompress.js';
import { doctor } from './doctor.js';
import { evaluate } from './eval.js';
import { generate } from './generate.js';
import { commandHelp, FIRST_STEPS, overview } from './help.js';
import { inspect } from './inspect.js';
import { parseOptions } from './options.js';
import { printable } from './printable.js';
import { Stop, Stopper } from './stop.js';

const COMMANDS: readonly Command[] = [
  generate,
  compress,
  decompress,
  evaluate,
  inspect,
  bench,
  doctor,
];
const HELP = ['help', '--help', '-h'];
const VERSION = ['--version', '-V', '-v'];
const EXIT_FAILURE = 1;
const EXIT_WRONG_CALL = 2;

/** The version in package.json, three folders above this file, alone or bundled. */
function version(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** @throws OptionError with the nearest name */
function findCommand(name: string): Command {
  const found = COMMANDS.find(({ spec }) => spec.name === name);
  if (found) return found;
  const known = COMMANDS.map(({ spec }) => spec.name);
  throw new OptionError(`no command ${name}; ${propose(name, known)}`);
}

/** Of one command, or of all. */
function help(name: string | undefined): string {
  const specs = COMMANDS.map(({ spec }) => spec);
  return name === undefined ? overview(specs) : commandHelp(findCommand(name).spec);
}

async function run(words: readonly string[], terminal: Terminal): Promise<void> {
  const [name, ...rest] = words;
  if (name === undefined) {
    terminal.note(FIRST_STEPS);
    throw new OptionError('expected a command, came none; `halfbyte help` lists them');
  }
  if (HELP.includes(name)) return terminal.write(`${help(rest[0])}\n`);
  if (VERSION.includes(name)) return terminal.write(`${version()}\n`);
  const command = findCommand(name);
  const options = parseOptions(command.spec, rest);
  if (options.has('help')) return terminal.write(`${commandHelp(command.spec)}\n`);
  await command.run(options, terminal);
}

/** Our errors are made to be read; others tell their kind too. */
function describe(error: unknown): string {
  if (error instanceof HalfbyteError || error instanceof Stop) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function exitCode(error: unknown): number {
  if (error instanceof Stop) return error.exitCode;
  return error instanceof OptionError ? EXIT_WRONG_CALL : EXIT_FAILURE;
}

/** Runs what the command line asks for. @returns the exit code */
async function main(): Promise<number> {
  const stopper = new Stopper();
  const { signal } = stopper;
  const terminal: Terminal = {
    signal,
    write: (text) => void process.stdout.write(text),
    note: (line) => void process.stderr.write(`${line}\n`),
    holdSignals: () => stopper.holdSignals(),
  };
  try {
    await run(process.argv.slice(2), terminal);
    await stopper.flush();
    return 0;
  } catch (error) {
    const cause = signal.aborted ? signal.reason : error;
    const line = printable(describe(cause));
    if (line !== '') terminal.note(`halfbyte: ${line}`);
    await stopper.flush().catch(() => undefined);
    return exitCode(cause);
  }
}

// Whatever may still keep the process alive.
process.exit(await main());
