// Processes with a time limit, in a group of their own, so that nothing of a browser is left behind.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

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
 * @returns {{ ended: Promise<Outcome>, end: (code: string) => void, group: number }}
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
  return { ended, end, group: child.pid ?? 0 };
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

/**
 * Memory of a group of processes; pages that several share count once.
 * @param {number} group
 */
export function groupBytes(group) {
  let kilobytes = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, , processGroup] =
        readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      if (Number(processGroup) !== group) continue;
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      kilobytes += Number(/^Pss: +(\d+)/m.exec(rollup)?.[1] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return kilobytes * 1024;
}
