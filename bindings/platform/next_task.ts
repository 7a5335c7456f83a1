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
  const { setImmediate, MessageChannel, setTimeout, navigator } =
    globalThis as unknown as TaskGlobals;
  return new Promise((resolve) => {
    if (setImmediate) {
      setImmediate(resolve);
    } else if (MessageChannel && navigator?.userAgent !== MESSAGES_OVERTAKE_TIMERS) {
      // Browsers stretch nested timers to 4 ms, which is longer than a token takes; messages are prompt.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else {
      setTimeout(resolve, 0);
    }
  });
}
