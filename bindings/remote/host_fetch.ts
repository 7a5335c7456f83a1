// `fetch` in the worker that asks the page to fetch: for a page that has given a function of its own.

import type { FetchLike } from '../model/files.js';
import type { ToHost, ToPage, WireResponse } from './protocol.js';

type Answer = Extract<ToHost, { kind: 'fetched' | 'fetchedPart' | 'fetchFailed' }>;

/** What a fetch waits for: first its response, then parts of the body. */
interface Waiting {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Statuses whose Response takes no body. */
const BODILESS = new Set([101, 204, 205, 304]);

export class HostFetch {
  readonly #post: (message: ToPage) => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(post: (message: ToPage) => void) {
    this.#post = post;
  }

  receive(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === 'fetchFailed') waiting?.reject(new Error(answer.reason));
    else waiting?.resolve(answer);
  }

  readonly fetch: FetchLike = async (url, init = {}) => {
    const { method = 'GET', signal } = init;
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const onAbort = () => this.#cancel(id, signal?.reason);
    const end = () => signal?.removeEventListener('abort', onAbort);
    signal?.addEventListener('abort', onAbort);
    try {
      const headers = Object.fromEntries(new Headers(init.headers));
      const answer = await this.#ask({ kind: 'fetch', id, url, method, headers });
      const { response } = answer as Extract<Answer, { kind: 'fetched' }>;
      if (!response.hasBody) end();
      return asResponse(response, response.hasBody ? this.#body(id, end) : null);
    } catch (error) {
      end();
      throw error;
    }
  };

  #ask(message: Extract<ToPage, { kind: 'fetch' | 'pullFetch' }>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, { resolve, reject });
      this.#post(message);
    });
  }

  /** Nothing is fetched before it is read. */
  #body(id: number, end: () => void): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const answer = await this.#ask({ kind: 'pullFetch', id });
          const { part } = answer as Extract<Answer, { kind: 'fetchedPart' }>;
          if (part) return controller.enqueue(part);
          end();
          controller.close();
        },
        cancel: (reason) => {
          end();
          this.#cancel(id, reason);
        },
      },
      { highWaterMark: 0 },
    );
  }

  #cancel(id: number, reason: unknown): void {
    this.#post({ kind: 'cancelFetch', id });
    this.#waiting.get(id)?.reject(reason);
    this.#waiting.delete(id);
  }
}

function asResponse(
  { status, statusText, headers, type }: WireResponse,
  body: ReadableStream<Uint8Array> | null,
): Response {
  const response = new Response(BODILESS.has(status) ? null : body, {
    status,
    statusText,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
  });
  // Whether the page sees all headers.
  return Object.defineProperty(response, 'type', { value: type });
}
