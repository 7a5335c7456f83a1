// One request to a server, and again after what passes: a busy server, a connection that is cut.

import { SourceError } from '../errors.js';
import type { FetchInit, SourceOptions } from './files.js';

/** Of one request, the first included. */
const TRIES = 4;
/** Before the second try; doubled for each that follows. */
const FIRST_PAUSE_MS = 250;
/** A server that asks for more by Retry-After is not waited for. */
const LONGEST_PAUSE_MS = 15_000;
/** Too many requests; bad gateway, service unavailable, gateway timeout. */
const BUSY = new Set([429, 502, 503, 504]);

/** A failure that the next try may not see. */
class Passing {
  readonly error: SourceError;
  /** What the server asks for; null: it does not say. */
  readonly pauseMs: number | null;

  constructor(error: SourceError, pauseMs: number | null = null) {
    this.error = error;
    this.pauseMs = pauseMs;
  }
}

export interface HttpRequest {
  readonly url: URL;
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Asks, and reads the answer: one with a body, or 416. Null: nothing is there; a page instead of a file is
 * what some servers answer with for that.
 * @param read is called for each try; what it waits for of the network goes through `arriving`
 * @throws SourceError with the URL, what `read` throws, `signal.reason`
 */
export async function request<T>(
  asked: HttpRequest,
  { fetch: ask = fetch, signal }: SourceOptions,
  read: (response: Response) => Promise<T>,
): Promise<T | null> {
  const tries = /^https?:$/.test(asked.url.protocol) ? TRIES : 1;
  let pauseMs = FIRST_PAUSE_MS;
  for (let left = tries - 1; ; left--) {
    try {
      signal?.throwIfAborted();
      return await once(asked, ask, signal, read);
    } catch (failure) {
      signal?.throwIfAborted();
      if (!(failure instanceof Passing)) throw failure;
      const wanted = failure.pauseMs ?? pauseMs;
      if (left === 0 || wanted > LONGEST_PAUSE_MS) throw failure.error;
      await pause(wanted, signal);
      pauseMs *= 2;
    }
  }
}

/** Names what fails on the way; it may be tried again. */
export async function arriving<T>(url: URL, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw cutShort(url, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Throw this where a connection must have been cut. */
export function cutShort(url: URL, reason: string, cause?: unknown): unknown {
  return new Passing(new SourceError(`[${url}] cannot be fetched: ${reason}`, { cause }));
}

async function once<T>(
  { url, method = 'GET', headers = {} }: HttpRequest,
  ask: NonNullable<SourceOptions['fetch']>,
  signal: AbortSignal | undefined,
  read: (response: Response) => Promise<T>,
): Promise<T | null> {
  const init: FetchInit = { method, headers: { ...headers }, ...(signal && { signal }) };
  const response = await arriving(url, ask(url.href, init));
  const isPage = response.headers.get('content-type')?.startsWith('text/html') ?? false;
  try {
    if ((response.ok && !isPage) || response.status === 416) return await read(response);
  } finally {
    // What nobody has read need not come.
    response.body?.cancel().catch(() => undefined);
  }
  if (response.status === 404 || response.ok) return null;
  const error = new SourceError(
    `[${url}] HTTP ${response.status} ${response.statusText}`.trimEnd(),
  );
  throw BUSY.has(response.status) ? new Passing(error, retryAfter(response)) : error;
}

/** In milliseconds; null where it is not said, or not to this page. */
function retryAfter({ headers }: Response): number | null {
  const value = headers.get('retry-after') ?? '';
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort);
  });
}
