// `fetch` on the page for the worker. Bodies cross part by part, as they are wanted: it is the worker that
// knows how many bytes there may be.

import type { FetchLike } from '../model/files.js';
import type { ToHost, ToPage } from './protocol.js';

type FetchMessage = Extract<ToPage, { kind: 'fetch' | 'pullFetch' | 'cancelFetch' }>;

export function isFetchMessage(message: ToPage): message is FetchMessage {
  return ['fetch', 'pullFetch', 'cancelFetch'].includes(message.kind);
}

interface PageFetch {
  readonly controller: AbortController;
  body: ReadableStreamDefaultReader<Uint8Array> | null;
}

export class PageFetches {
  readonly #send: (message: ToHost) => void;
  readonly #running = new Map<number, PageFetch>();
  fetch: FetchLike = (url, init) => fetch(url, init);

  /** @param send may be called after the worker has ended */
  constructor(send: (message: ToHost) => void) {
    this.#send = send;
  }

  receive(message: FetchMessage): void {
    const { id } = message;
    if (message.kind === 'fetch') void this.#attempt(id, () => this.#ask(message));
    else if (message.kind === 'pullFetch') void this.#attempt(id, () => this.#pull(id));
    else this.#cancel(id);
  }

  cancelAll(): void {
    for (const id of this.#running.keys()) this.#cancel(id);
  }

  async #ask({ id, url, method, headers }: Extract<ToPage, { kind: 'fetch' }>): Promise<void> {
    const running: PageFetch = { controller: new AbortController(), body: null };
    this.#running.set(id, running);
    const { signal } = running.controller;
    const response = await this.fetch(url, { method, headers, signal });
    if (signal.aborted) return void response.body?.cancel().catch(() => undefined);
    const { status, statusText, type } = response;
    running.body = response.body?.getReader() ?? null;
    const hasBody = running.body !== null;
    if (!hasBody) this.#running.delete(id);
    const answer = { status, statusText, headers: [...response.headers], type, hasBody };
    this.#send({ kind: 'fetched', id, response: answer });
  }

  async #pull(id: number): Promise<void> {
    const body = this.#running.get(id)?.body;
    if (!body) throw new Error('the fetch was cancelled');
    const { done, value } = await body.read();
    if (done) this.#running.delete(id);
    // A part of a larger buffer would take all of it along.
    this.#send({ kind: 'fetchedPart', id, part: value?.slice() ?? null });
  }

  async #attempt(id: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#running.delete(id);
      const reason = error instanceof Error ? error.message : String(error);
      this.#send({ kind: 'fetchFailed', id, reason });
    }
  }

  #cancel(id: number): void {
    const running = this.#running.get(id);
    this.#running.delete(id);
    running?.controller.abort();
    running?.body?.cancel().catch(() => undefined);
  }
}
