// The program: finds the command, runs it, turns errors into one line and an exit code.
// 0 done, 1 a failure, 2 a wrong call, 130 Ctrl-C (128 and the signal's number).

import { readFileSync } from 'node:fs';
import { HalfbyteError, OptionError } from '../errors.js';
import { bench } from './bench.js';
import type { Command, Terminal } from './command.js';
import { compress } from './compress.js';
import { doctor } from './doctor.js';
import { evaluate } from './eval.js';
import { generate } from './generate.js';
import { inspect } from './inspect.js';
import { commandHelp, parseOptions } from './options.js';
import { printable } from './printable.js';
import { Stop, Stopper } from './stop.js';

const COMMANDS: readonly Command[] = [generate, compress, evaluate, inspect, bench, doctor];
const EXIT_FAILURE = 1;
const EXIT_WRONG_CALL = 2;

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ spec }) => spec.name.length)) + 2;
  return [
    'Language models for every place JavaScript runs.\n',
    'halfbyte COMMAND MODEL [options]\n',
    ...COMMANDS.map(({ spec }) => `  ${spec.name.padEnd(width)}${spec.summary}`),
    '',
    'halfbyte COMMAND --help   options of a command',
    'halfbyte --version',
  ].join('\n');
}

/** The version in package.json, three folders above this file, alone or bundled. */
function version(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function run(words: readonly string[], terminal: Terminal): Promise<void> {
  const [name, ...rest] = words;
  if (name === '--help' || name === '-h') return terminal.write(`${overview()}\n`);
  if (name === '--version' || name === '-v') return terminal.write(`${version()}\n`);
  const command = COMMANDS.find(({ spec }) => spec.name === name);
  if (!command) {
    const names = COMMANDS.map(({ spec }) => spec.name).join(', ');
    throw new OptionError(`expected a command (${names}), came ${name ?? 'none'}; see --help`);
  }
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
