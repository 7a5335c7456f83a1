// The command line as a user has it: a process of its own.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { text as readText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../bindings/cli/main.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  /** Null: it ended by itself. */
  readonly signal?: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `halfbyte ...words` with stdout written to the file `out`. */
export async function runCliInto(out: string, words: readonly string[]) {
  const file = await open(out, 'w');
  try {
    const child = spawn(process.execPath, [MAIN, ...words], {
      stdio: ['ignore', file.fd, 'pipe'],
    });
    const [[code], stderr] = await Promise.all([once(child, 'close'), readText(child.stderr!)]);
    return { code: code as number | null, stdout: '', stderr };
  } finally {
    await file.close();
  }
}

/**
 * Starts `halfbyte ...words`; `done` resolves when it has ended.
 * @param input null: stdin stays open
 * @param nodeOptions come before the program
 */
export function startCli(
  words: readonly string[],
  input: string | null = '',
  nodeOptions: readonly string[] = [],
) {
  return follow(spawn(process.execPath, [...nodeOptions, MAIN, ...words]), input);
}

/** Collects what a process writes; `done` resolves when it has ended. */
export function follow(child: ChildProcessWithoutNullStreams, input: string | null = '') {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  if (input !== null) child.stdin.end(input);
  const done = new Promise<Outcome>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, done };
}

/** Runs `halfbyte ...words` to its end. */
export function runCli(words: readonly string[], input = ''): Promise<Outcome> {
  return startCli(words, input).done;
}
