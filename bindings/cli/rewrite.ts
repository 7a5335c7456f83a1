// What the commands that write a checkpoint have in common.

import type { RewriteOptions, RewrittenCheckpoint } from '../compress/rewrite.js';
import { OptionError } from '../errors.js';
import { type Terminal, writeJson } from './command.js';
import type { Operands, OptionSpec, Options } from './options.js';
import { printable } from './printable.js';
import { ProgressBar } from './progress.js';
import { megabytes } from './words.js';

export const MODEL_AND_OUT: Operands = { least: 1, most: 2, words: 'MODEL and OUT' };

export const OUT: Readonly<Record<string, OptionSpec>> = {
  out: { value: 'OUT', short: 'o', help: 'a directory, or one .safetensors file' },
  force: { help: 'replace OUT' },
};

/**
 * OUT, by its option or as the second operand.
 * @param ending of the name that is proposed where none came
 * @throws OptionError that says what to type
 */
export function outOf(command: string, options: Options, ending: string): string {
  const [model = '', second] = options.operands;
  const out = options.text('out');
  if (out !== undefined && second !== undefined) {
    throw new OptionError(`[${command}] expected one OUT, came ${second} and --out ${out}`);
  }
  if (out !== undefined || second !== undefined) return out ?? (second as string);
  const name = model.replace(/[/\\]+$/, '').replace(/^.*[/\\]|\.safetensors$/g, '') || 'model';
  throw new OptionError(
    `[--out] expected where to write to, came nothing; for example: ` +
      `halfbyte ${command} ${quoted(model)} -o ${quoted(`${name}-${ending}`)}`,
  );
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word}"`;
}

/**
 * Runs `rewrite` with progress and tells what came of it.
 * @param remark ends the line
 */
export async function rewriteAndTell<T extends Omit<RewrittenCheckpoint, 'rounded'>>(
  label: string,
  out: string,
  options: Options,
  terminal: Terminal,
  rewrite: (options: RewriteOptions) => Promise<T>,
  remark: (result: T) => string = () => '',
): Promise<void> {
  await terminal.holdSignals();
  const progress = new ProgressBar(label);
  const started = performance.now();
  const result = await rewrite({
    force: options.has('force'),
    signal: terminal.signal,
    onProgress: ({ done, total }) => progress.update(done, total),
  }).finally(() => progress.end());
  if (options.has('json')) return writeJson(terminal, result);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  terminal.write(
    `${printable(out)}: ${megabytes(result.fileBytes)}, ${result.bitsPerWeight.toFixed(2)} bits per weight, ` +
      `${seconds} s${remark(result)}\n`,
  );
}
