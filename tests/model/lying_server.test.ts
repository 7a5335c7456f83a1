// What is read from a server is one file, in one version, whatever the server does.

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import type { SourceOptions } from '../../bindings/model/files.js';
import { type Answer, type Asked, type Lie, serveLies } from '../support/lying_server.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const MIB = 1 << 20;
/** Of one request. */
const BLOCK = 4 * MIB;
const SECOND = `${BLOCK}`;

const files = new Map<string, Uint8Array>();
let directory = '';
let whole = '';

test.before(async () => {
  // Two blocks.
  const dir = await mkdtemp(join(tmpdir(), 'halfbyte-lies-'));
  directory = await writeTinyLlama(dir, { vocabSize: 25_000 });
  for (const name of await readdir(directory)) {
    files.set(`/${name}`, new Uint8Array(await readFile(join(directory, name))));
  }
  whole = await contents(directory);
});
test.after(() => rm(directory, { recursive: true }));

/** A hash of all bytes that the plan would read. */
async function contents(location: string, options: SourceOptions = {}): Promise<string> {
  const checkpoint = await openCheckpoint(location, options);
  try {
    const hash = createHash('sha256');
    for (const { parts } of checkpoint.weights.values()) {
      const [{ source, offset, bytes: length }] = parts;
      const bytes = new Uint8Array(length);
      await source.read(offset, bytes, options.signal);
      hash.update(bytes);
    }
    return hash.digest('hex');
  } finally {
    await checkpoint.close();
  }
}

interface Outcome {
  readonly asked: readonly Asked[];
  readonly sent: number;
}

async function withLie(lie: Lie, run: (origin: string) => Promise<void>): Promise<Outcome> {
  const server = await serveLies(files, lie);
  try {
    await run(server.origin);
    return { asked: server.asked, sent: server.sent() };
  } finally {
    await server.close();
  }
}

const isSecond = ({ headers }: Asked) => headers['range']?.startsWith(`bytes=${SECOND}-`) ?? false;
const isFirst = ({ headers }: Asked) => headers['range']?.startsWith('bytes=0-') ?? false;
const isConfig = ({ path }: Asked) => path === '/config.json';

/** The lie, where `which` says. */
function lieIf(which: (asked: Asked) => boolean, change: Partial<Answer>): Lie {
  return (answer, asked) => {
    if (!which(asked)) return;
    Object.assign(answer, change, { headers: { ...answer.headers, ...change.headers } });
  };
}

const without = (header: string): Lie => {
  return ({ headers }) => {
    delete headers[header];
  };
};

function both(...lies: Lie[]): Lie {
  return (answer, asked) => {
    for (const lie of lies) lie(answer, asked);
  };
}

/** A range that begins a byte late, and says so. */
const late =
  (which: (asked: Asked) => boolean): Lie =>
  (answer, asked) => {
    if (!which(asked)) return;
    const [from = 0, to = 0] = /(\d+)-(\d+)/.exec(asked.headers['range'] ?? '')!.slice(1);
    const file = files.get(asked.path)!;
    answer.body = file.slice(Number(from) + 1, Number(to) + 2);
    answer.headers['content-range'] = `bytes ${Number(from) + 1}-${Number(to) + 1}/${file.length}`;
  };

const REFUSED: readonly [name: string, lie: Lie, parts: string[]][] = [
  ['the first range begins late', late(isFirst), ['bytes 0-4194303', 'bytes 1-']],
  ['another range begins late', late(isSecond), [SECOND, 'bytes 4194305-']],
  [
    'a range that is none',
    lieIf(isSecond, { headers: { 'content-range': 'lines 1-2/3' } }),
    [SECOND, 'lines 1-2/3'],
  ],
  [
    'another size',
    (answer, asked) => {
      if (!isSecond(asked)) return;
      answer.headers['content-range'] = answer.headers['content-range']!.replace(/\d+$/, '9999999');
    },
    ['9999999'],
  ],
  [
    'another tag',
    lieIf(isSecond, { headers: { etag: '"two"' } }),
    ['changed while it was read', 'ETag', '"one"', '"two"'],
  ],
  [
    'another date, and no tag',
    both(without('etag'), lieIf(isSecond, { headers: { 'last-modified': 'today' } })),
    ['changed while it was read', 'Last-Modified', 'today', '2026'],
  ],
  [
    'the whole of another version',
    lieIf(isSecond, { status: 200, body: new Uint8Array(MIB), repeat: 512 }),
    ['changed while it was read', 'HTTP 200'],
  ],
  ['the file is gone', lieIf(isSecond, { status: 404 }), ['changed', 'not there']],
  ['the file ends before', lieIf(isSecond, { status: 416 }), ['changed', '416']],
  ['a range that is too long', lieIf(isSecond, { body: new Uint8Array(BLOCK + 1) }), ['more than']],
  [
    'a first range without end',
    lieIf(isFirst, { body: new Uint8Array(MIB), repeat: 512 }),
    [`${BLOCK} bytes expected`, 'more than'],
  ],
  [
    'a range without end',
    lieIf(isSecond, { body: new Uint8Array(MIB), repeat: 512 }),
    ['more than'],
  ],
  [
    'a text without end',
    lieIf(isConfig, { body: new Uint8Array(MIB).fill(0x20), repeat: 512 }),
    ['config.json', `${1 << 27} bytes expected`, 'more than'],
  ],
];

for (const [name, lie, parts] of REFUSED) {
  test(`refused: ${name}`, async () => {
    const { sent } = await withLie(lie, (origin) =>
      raises(() => contents(origin), 'SOURCE', [origin, ...parts], name),
    );
    assert.ok(sent < (name.includes('text') ? 200 : 64) * MIB, `${sent} bytes were read`);
  });
}

/** Busy or cut, at the first asking only. */
const once =
  (lie: Lie): Lie =>
  (answer, asked) => {
    if (asked.times === 1) lie(answer, asked);
  };
const busy = (status: number, wait = '0') =>
  lieIf(() => true, { status, body: new Uint8Array(9), headers: { 'retry-after': wait } });

const READ: readonly [name: string, lie: Lie][] = [
  ['the truth', () => {}],
  ['the truth about ranges, without versions', both(without('etag'), without('last-modified'))],
  ['weak tags', lieIf(() => true, { headers: { etag: 'W/"one"' } })],
  ['no Content-Range', without('content-range')],
  [
    'no ranges',
    (answer, asked) => {
      if (answer.status !== 206) return;
      Object.assign(answer, { status: 200, body: files.get(asked.path) });
    },
  ],
  ['another type of content', lieIf(() => true, { headers: { 'content-type': 'text/plain' } })],
  [
    'slowly',
    (answer) => {
      answer.slow = 1 << 17;
    },
  ],
  ['503 once', once(busy(503))],
  ['429 once', once(busy(429))],
  ['502 once, and when to come again as a date', once(busy(502, new Date(0).toUTCString()))],
  ['every connection cut once', once(lieIf(() => true, { cutAfter: 100 }))],
  [
    'a body that ends early, once',
    once((answer) => {
      Object.assign(answer, { body: answer.body.subarray(100), repeat: 1 });
      if (answer.status === 200) answer.headers['content-length'] = `${answer.body.length + 100}`;
    }),
  ],
];

for (const [name, lie] of READ) {
  test(`read: ${name}`, async () => {
    await withLie(lie, async (origin) => assert.is(await contents(origin), whole));
  });
}

test('ranges are asked for under the condition that the file is the same', async () => {
  const { asked } = await withLie(
    () => {},
    async (origin) => void (await contents(origin)),
  );
  assert.equal(
    asked
      .filter(isSecond)
      .map(({ headers }) => headers['if-range'])
      .slice(0, 1),
    ['"one"'],
  );
  const dated = await withLie(without('etag'), async (origin) => void (await contents(origin)));
  const [second] = dated.asked.filter(isSecond);
  assert.is(second?.headers['if-range'], 'Thu, 01 Jan 2026 00:00:00 GMT');
});

test('who stays busy is asked a few times, and named', async () => {
  const { asked } = await withLie(busy(503), (origin) =>
    raises(() => contents(`${origin}/model.safetensors`), 'SOURCE', [origin, 503]),
  );
  assert.is(asked.length, 4);
});

test('who wants a long pause is not asked again', async () => {
  const { asked } = await withLie(busy(503, '3600'), (origin) =>
    raises(() => contents(`${origin}/model.safetensors`), 'SOURCE', [origin, 503]),
  );
  assert.is(asked.length, 1);
});

test('what is refused for good is asked for once', async () => {
  const { asked } = await withLie(busy(403), (origin) =>
    raises(() => contents(`${origin}/model.safetensors`), 'SOURCE', [origin, 403]),
  );
  assert.is(asked.length, 1);
});

test('an abort ends the pause before another try', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const lie: Lie = (answer, asked) => {
    busy(503, '10')(answer, asked);
    setTimeout(() => controller.abort(reason), 50);
  };
  const { asked } = await withLie(lie, async (origin) => {
    const { signal } = controller;
    const url = `${origin}/model.safetensors`;
    assert.is(await contents(url, { signal }).catch((error) => error), reason);
  });
  assert.is(asked.length, 1);
});

test('an abort ends a body', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const lie: Lie = (answer, asked) => {
    if (!isSecond(asked)) return;
    answer.slow = 1000;
    setTimeout(() => controller.abort(reason), 50);
  };
  await withLie(lie, async (origin) => {
    const { signal } = controller;
    assert.is(await contents(origin, { signal }).catch((error) => error), reason);
  });
});

test('a redirection to another origin takes no query along', async () => {
  const other = await serveLies(files);
  try {
    const lie: Lie = (answer, { path }) => {
      const location = `${other.origin}${path.replace(/\?.*/, '')}`;
      Object.assign(answer, { status: 302, headers: { location }, body: new Uint8Array(0) });
    };
    const { asked } = await withLie(lie, async (origin) => {
      assert.is(await contents(`${origin}/model.safetensors?key=1`), whole);
    });
    assert.ok(asked.every(({ path }) => path.endsWith('?key=1')));
    assert.ok(other.asked.length > 1);
    for (const { path, headers } of other.asked) {
      assert.not.match(JSON.stringify([path, headers]), 'key=1');
    }
  } finally {
    await other.close();
  }
});

test.run();
