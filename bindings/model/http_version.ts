// Whether the answers to several requests are parts of one file, in one version.

import { FETCH_CACHES } from '#platform';
import { SourceError } from '../errors.js';

/** Bytes [begin, end). */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

export function rangeHeader({ begin, end }: Range): Record<string, string> {
  return { Range: `bytes=${begin}-${end - 1}` };
}

/** What an answer says about the file. A page may not see the tag of another origin. */
export interface FileVersion {
  readonly etag: string | null;
  readonly modified: string | null;
}

export function fileVersion({ headers }: Response): FileVersion {
  return { etag: headers.get('etag'), modified: headers.get('last-modified') };
}

/** Of this version only: another comes as a whole. A weak tag is no condition for a range. */
export function ifRange({ etag, modified }: FileVersion): Record<string, string> {
  const condition = etag?.startsWith('W/') ? modified : (etag ?? modified);
  return condition === null || FETCH_CACHES ? {} : { 'If-Range': condition };
}

/** @throws SourceError with what differs, as far as both answers tell */
export function checkVersion(url: URL, first: FileVersion, now: FileVersion): void {
  for (const [fact, name] of [
    ['etag', 'ETag'],
    ['modified', 'Last-Modified'],
  ] as const) {
    if (first[fact] === null || now[fact] === null || first[fact] === now[fact]) continue;
    throw changed(url, `${name} was ${first[fact]}, now ${now[fact]}`);
  }
}

export function changed(url: URL, how: string): SourceError {
  return new SourceError(`[${url}] changed while it was read: ${how}`);
}

/**
 * The size of the whole file, by Content-Range; null where the answer does not tell, or not to this page.
 * @throws SourceError for another range than was asked for
 */
export function checkRange(url: URL, { begin, end }: Range, response: Response): number | null {
  const header = response.headers.get('content-range');
  if (header === null) return null;
  const [, from, to, whole] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(header.trim()) ?? [];
  const size = whole === undefined || whole === '*' ? null : Number(whole);
  const last = Math.min(end, size ?? end) - 1;
  if (Number(from) === begin && (Number(to) === last || size === null)) return size;
  throw new SourceError(`[${url}] bytes ${begin}-${end - 1} asked for, ${header} came`);
}
