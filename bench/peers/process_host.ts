// A peer in a process of its own, of the same Node.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Host } from './host.js';
import type { Answer, Question } from './process_main.js';

const MAIN = fileURLToPath(new URL('./process_main.js', import.meta.url));

/** Starts a process in which the module at the URL `module` loads with `options`. @throws what loading throws */
export async function startProcess(module: string, options: object): Promise<Host> {
  const child = fork(MAIN, { stdio: ['ignore', 2, 2, 'ipc'] });
  const close = async () => {
    const gone = child.exitCode !== null || child.signalCode !== null;
    if (!gone) await Promise.all([once(child, 'exit'), child.kill('SIGKILL')]);
  };
  const host: Host = {
    call: async <T>(method: string, ...args: unknown[]) =>
      (await ask(child, { method, args })) as T,
    close,
  };
  try {
    await host.call('load', module, options);
    return host;
  } catch (error) {
    await close();
    throw error;
  }
}

/** One question at a time. */
function ask(child: ChildProcess, question: Question): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null) => {
      reject(new Error(`[${question.method}] the process ended with ${code ?? signal}`));
    };
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      const { value, error } = message as Answer;
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
    child.send(question);
  });
}
