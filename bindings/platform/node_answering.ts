// Threads that answer messages, in Node, Deno and Bun: for work whose pieces need nothing of each other.

import { parentPort, Worker, workerData } from 'node:worker_threads';
import { builtFile } from './node_built.js';

export interface AnsweringWorker {
  /** Sends a copy; answers come in the order of the questions. */
  ask(question: unknown): void;
  /** Ends the thread, whatever it is at. */
  end(): Promise<void>;
}

/**
 * Starts a script of the package, which calls `answerQuestions`.
 * @param start what that is given
 * @param onFailure the thread ends without being told to; more than once perhaps
 * @throws where no thread may be started
 */
export function startAnswering(
  script: readonly string[],
  start: unknown,
  onAnswer: (answer: unknown) => void,
  onFailure: (cause: unknown) => void,
): AnsweringWorker {
  const worker = new Worker(builtFile(...script), { workerData: start });
  worker.on('message', onAnswer);
  worker.on('error', onFailure);
  worker.on('exit', (code) => onFailure(new Error(`exit code ${code}`)));
  return {
    ask: (question) => worker.postMessage(question),
    async end() {
      await worker.terminate();
    },
  };
}

/**
 * In such a thread: answers every question.
 * @param answer gives the answer, and its buffers that are handed over instead of copied
 */
export function answerQuestions(
  begin: (start: unknown) => (question: unknown) => [answer: unknown, buffers: ArrayBuffer[]],
): void {
  const answer = begin(workerData);
  parentPort!.on('message', (question) => parentPort!.postMessage(...answer(question)));
}
