// A server of files on this machine that tells the truth, but for one lie.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
  /** Sends the body that often, without saying how long it is. */
  repeat?: number;
  /** Cuts the connection after that many bytes of the body. */
  cutAfter?: number;
  /** Bytes of one piece, with a pause behind each. */
  slow?: number;
}

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How often this file was asked for, this time included. */
  readonly times: number;
}

/** Makes a lie of the truth, or leaves it. */
export type Lie = (answer: Answer, asked: Asked) => void;

export interface LyingServer {
  readonly origin: string;
  readonly asked: Asked[];
  /** Bytes of bodies that were sent. */
  readonly sent: () => number;
  close(): Promise<void>;
}

/** Serves `files` by path, `/model.safetensors`. */
export async function serveLies(
  files: ReadonlyMap<string, Uint8Array>,
  lie: Lie = () => {},
): Promise<LyingServer> {
  const asked: Asked[] = [];
  let sent = 0;
  const server = createServer((request, response) => {
    const now = askedBy(request, asked);
    asked.push(now);
    const answer = truth(files, now);
    lie(answer, now);
    send(answer, response, now.method === 'HEAD', (bytes) => {
      sent += bytes;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    sent: () => sent,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function askedBy({ method = '', url = '', headers }: IncomingMessage, before: Asked[]): Asked {
  const times = before.filter(({ path }) => path === url).length + 1;
  return { method, path: url, headers: headers as Record<string, string>, times };
}

function truth(files: ReadonlyMap<string, Uint8Array>, { path, headers }: Asked): Answer {
  const file = files.get(path.replace(/\?.*/, ''));
  if (!file) return { status: 404, headers: {}, body: new Uint8Array(0) };
  const version = { etag: '"one"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' };
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '') ?? [];
  const condition = headers['if-range'] ?? version.etag;
  if (from === undefined || !Object.values(version).includes(condition)) {
    return { status: 200, headers: version, body: file };
  }
  const body = file.subarray(Number(from), Number(to) + 1);
  const range = `bytes ${from}-${Number(from) + body.length - 1}/${file.length}`;
  return { status: 206, headers: { ...version, 'content-range': range }, body };
}

async function send(
  { status, headers, body, repeat, cutAfter, slow }: Answer,
  response: ServerResponse,
  bodiless: boolean,
  onSent: (bytes: number) => void,
): Promise<void> {
  const length = repeat === undefined ? { 'content-length': String(body.length) } : {};
  response.writeHead(status, { ...length, ...headers });
  response.on('error', () => {});
  const whole = bodiless ? new Uint8Array(0) : body.subarray(0, cutAfter);
  for (let i = 0; i < (repeat ?? 1); i++) {
    for (let at = 0; at < whole.length; at += slow ?? whole.length) {
      if (response.destroyed) return;
      const part = whole.subarray(at, at + (slow ?? whole.length));
      await new Promise((resolve) => response.write(part, resolve));
      onSent(part.length);
      if (slow) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  if (cutAfter === undefined) response.end();
  else response.destroy();
}
