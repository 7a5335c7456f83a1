// `fetch` in the worker that asks the page to fetch: for a page that has given a function of its own.

import type { FetchLike } from '../model/files.js';
import type { ToHost, ToPage, WireResponse } from './protocol.js';

interface Waiting {
  resolve(response: WireResponse): void;
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

  receive(message: Extract<ToHost, { kind: 'fetched' | 'fetchFailed' }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'fetched') waiting?.resolve(message.response);
    else waiting?.reject(new Error(message.reason));
  }

  readonly fetch: FetchLike = async (url, init = {}) => {
    const { method = 'GET', signal } = init;
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const onAbort = () => {
      this.#post({ kind: 'cancelFetch', id });
      this.#waiting.get(id)?.reject(signal?.reason);
      this.#waiting.delete(id);
    };
    signal?.addEventListener('abort', onAbort);
    try {
      const { status, statusText, headers, body } = await new Promise<WireResponse>(
        (resolve, reject) => {
          this.#waiting.set(id, { resolve, reject });
          const sent = Object.fromEntries(new Headers(init.headers));
          this.#post({ kind: 'fetch', id, url, method, headers: sent });
        },
      );
      return new Response(BODILESS.has(status) ? null : body, {
        status,
        statusText,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  };
}
