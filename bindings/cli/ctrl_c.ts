// Entry point of a thread that waits for Ctrl-C, so that the second one ends the process whatever the main
// thread is doing: a listener of its own would never run while it computes, and would keep the signal from
// ending the process. Here a script waits that Ctrl-C breaks, which Node sees to on a thread of the system;
// once it is broken and left, Ctrl-C does what it does by default.

import { runInThisContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';

/** npm hands on to a script the Ctrl-C that the terminal has sent it already: nobody presses twice so fast. */
const SAME_PRESS_MS = 50;
const BREAKABLE = { breakOnSigint: true };

const never = new Int32Array(new SharedArrayBuffer(4));
const scripts = globalThis as unknown as { sleep(ms: number): void; watch(): void };

scripts.sleep = (ms) => void Atomics.wait(never, 0, 0, ms);

/** One inside the other: between two waits the outer one still holds the signal. */
scripts.watch = () => {
  parentPort?.postMessage('watching');
  waitForPress(Number.POSITIVE_INFINITY);
  parentPort?.postMessage('pressed');
  const end = performance.now() + SAME_PRESS_MS;
  for (let left = SAME_PRESS_MS; left > 0; left = end - performance.now()) waitForPress(left);
};

function waitForPress(ms: number): void {
  try {
    runInThisContext(`sleep(${ms})`, BREAKABLE);
  } catch {
    // It was pressed.
  }
}

try {
  runInThisContext('watch()', BREAKABLE);
} catch {
  parentPort?.postMessage('pressed');
}
