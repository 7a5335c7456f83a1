// Letting the event loop turn: timers, I/O and the events that fire an AbortSignal come first. A promise
// alone would not do, as microtasks all run before the loop goes on.

interface TaskGlobals {
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
  readonly navigator?: { readonly userAgent?: string };
  readonly MessageChannel?: new () => {
    readonly port1: { onmessage: (() => void) | null; close(): void };
    readonly port2: { postMessage(message: unknown): void };
  };
}

// In workerd messages overtake timers for good, so an AbortSignal.timeout would never fire; its timers are not
// stretched.
const MESSAGES_OVERTAKE_TIMERS = 'Cloudflare-Workers';

/** Resolves in a later task of the event loop. */
export function nextTask(): Promise<void> {
  // Read one by one: in Node such a global is loaded when it is asked for.
  const scope = globalThis as unknown as TaskGlobals;
  return new Promise((resolve) => {
    if (scope.setImmediate) {
      scope.setImmediate(resolve);
    } else if (scope.MessageChannel && scope.navigator?.userAgent !== MESSAGES_OVERTAKE_TIMERS) {
      // Browsers stretch nested timers to 4 ms, which is longer than a token takes; messages are prompt.
      const { port1, port2 } = new scope.MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else {
      scope.setTimeout(resolve, 0);
    }
  });
}
