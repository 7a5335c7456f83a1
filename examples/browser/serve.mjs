// node examples/browser/serve.mjs [MODEL] [--port N] [--no-isolation]: serves the page, the package and one
// .safetensors file on this machine. The isolation headers are what lets the page use threads.

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGE = join(dirname(fileURLToPath(import.meta.resolve('halfbyte/package.json'))), 'build');
const DEFAULT_MODEL = join(HERE, '..', '..', 'models', 'stories15M-int4.safetensors');

const PORTS_TRIED = 20;

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

/**
 * Serves until `close` is called. `page` is the folder of the page; `folders` are more, by the first part of
 * their paths.
 * @param {{ model?: string, port?: number, isolated?: boolean, page?: string,
 *   folders?: Record<string, string> }} options
 */
export async function serve(options = {}) {
  const { model = DEFAULT_MODEL, port = 0, isolated = true, page = HERE, folders } = options;
  const roots = { halfbyte: PACKAGE, ...folders };
  const headers = { 'Cache-Control': 'no-cache', ...(isolated && ISOLATION) };
  const server = createServer((request, response) => {
    const path = fileOf(request.url ?? '/', { model, page, roots });
    send(path, request, response, headers).catch(() => response.destroy());
  });
  await listen(server, port);
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}

/** A busy port leaves the next one. */
async function listen(server, port) {
  for (let next = port; ; next++) {
    try {
      server.listen(next, '127.0.0.1');
      await once(server, 'listening');
      return;
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || next >= port + PORTS_TRIED) throw error;
    }
  }
}

/** The file that a URL means; null: none. */
function fileOf(url, { model, page, roots }) {
  let path;
  try {
    path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname)).slice(1);
  } catch {
    return null;
  }
  if (path === 'model.safetensors') return model;
  const [first, ...rest] = path.split(sep);
  if (Object.hasOwn(roots, first)) return join(roots[first], ...rest);
  return join(page, path === '' ? 'index.html' : path);
}

async function send(path, request, response, headers) {
  const found = path && (await stat(path).catch(() => null));
  if (!found?.isFile()) return response.writeHead(404, headers).end();
  const type = TYPES[extname(path)] ?? 'application/octet-stream';
  const range = rangeOf(request.headers.range, found.size);
  if (range === 'outside') {
    return response.writeHead(416, { ...headers, 'Content-Range': `bytes */${found.size}` }).end();
  }
  const { start, end } = range ?? { start: 0, end: found.size - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    'Accept-Ranges': 'bytes',
    'Content-Type': type,
    'Content-Length': end - start + 1,
    ...(range && { 'Content-Range': `bytes ${start}-${end}/${found.size}` }),
  });
  if (request.method === 'HEAD' || found.size === 0) return response.end();
  await pipeline(createReadStream(path, { start, end }), response);
}

/** One range; others are answered by the whole file. */
function rangeOf(header, size) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined) return null;
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? 'outside' : { start, end };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string', default: '8080' }, 'no-isolation': { type: 'boolean' } },
  });
  const [model] = positionals;
  const isolated = !values['no-isolation'];
  const { url } = await serve({ ...(model && { model }), port: Number(values.port), isolated });
  console.log(url);
}
