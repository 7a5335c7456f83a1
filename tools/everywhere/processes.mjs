// Processes with a time limit, in a group of their own, so that nothing of a browser is left behind.

import { spawn } from 'node:child_process';

/**
 * @typedef {object} Outcome
 * @property {number | string} code exit code, signal, or `time-out`
 * @property {string} stdout
 * @property {string} stderr
 */

/**
 * Starts a program; `end` kills its whole group.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options
 * @returns {{ ended: Promise<Outcome>, end: (code: string) => void }}
 */
export function start(command, args, { cwd, env = {} }) {
  const child = spawn(command, args, {
    ...(cwd && { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  let reason = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const end = (/** @type {string} */ code) => {
    reason ||= code;
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  };
  /** @type {Promise<Outcome>} */
  const ended = new Promise((resolve) => {
    child.once('error', ({ message }) => resolve({ code: message, stdout, stderr }));
    child.once('close', (code, signal) => {
      end('left');
      resolve({ code: reason === 'time-out' ? reason : (code ?? signal ?? ''), stdout, stderr });
    });
  });
  return { ended, end };
}

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, ms: number }} options
 */
export async function run(command, args, { ms, ...options }) {
  const { ended, end } = start(command, args, options);
  const timer = setTimeout(() => end('time-out'), ms);
  const outcome = await ended;
  clearTimeout(timer);
  return outcome;
}
