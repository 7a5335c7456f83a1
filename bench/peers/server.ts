// Files for pages that may share memory with their workers.

import { once } from 'node:events';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cache-Control': 'no-store',
};

export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves folders, each under its name: `/build/...`. A page without content is at `/`. */
export async function serve(folders: Readonly<Record<string, string>>): Promise<Site> {
  const server = createServer(({ url = '/', headers }, response) => {
    const { pathname } = new URL(url, 'http://127.0.0.1');
    const [, name = '', ...parts] = pathname.split('/');
    if (pathname === '/') {
      response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES['.html'] }).end();
      return;
    }
    const folder = folders[name];
    const path = folder && join(folder, ...parts);
    if (path?.startsWith(folder!) && existsSync(path)) send(path, headers.range, response);
    else response.writeHead(404, HEADERS).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Of ranges only `bytes=A-B` is asked for. */
function send(path: string, range: string | undefined, response: ServerResponse): void {
  const { size } = statSync(path);
  const [, begin, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  const start = Number(begin ?? 0);
  const end = Math.min(Number(last ?? size - 1), size - 1);
  response.writeHead(range ? 206 : 200, {
    ...HEADERS,
    'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
    'Content-Length': end - start + 1,
    ...(range && { 'Content-Range': `bytes ${start}-${end}/${size}` }),
  });
  createReadStream(path, { start, end }).pipe(response);
}
