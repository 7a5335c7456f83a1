// Waiting for what may take long, or never come.

/** Who waits on a signal, and its one listener for all of them, as Node warns of the eleventh. */
interface Waiters {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const known = new WeakMap<AbortSignal, Waiters>();

/** What `work` brings, or `signal.reason` as soon as one of the signals is aborted; the work goes on then. */
export function untilAborted<T>(
  work: Promise<T>,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stops = signals.map((signal) => signal && onAbort(signal, () => reject(signal.reason)));
    const stop = () => {
      for (const one of stops) one?.();
    };
    work.then(
      (value) => {
        stop();
        resolve(value);
      },
      (error) => {
        stop();
        reject(error);
      },
    );
  });
}

/** @returns what takes the callback off again */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) callback();
  const { callbacks, listener } = known.get(signal) ?? listen(signal);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0) return;
    known.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

function listen(signal: AbortSignal): Waiters {
  const callbacks = new Set<() => void>();
  const listener = () => {
    for (const callback of callbacks) callback();
  };
  const waiters = { callbacks, listener };
  known.set(signal, waiters);
  signal.addEventListener('abort', listener);
  return waiters;
}
