import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KvPages, SessionPages } from '../../bindings/session/kv_pages.js';
import { FakePool } from '../support/fake_executor.js';

/** A pool of `maxPages` and an empty session of 320 positions in it. */
function setUp(maxPages = 100) {
  const pool = new FakePool(maxPages);
  const all = new KvPages(pool);
  return { pool, all, session: new SessionPages(all, 320) };
}

/** Marks positions [0, length) as written, as a step would. */
function write(pool: FakePool, session: SessionPages, length: number): void {
  const { pages } = session.table as unknown as { pages: number[] };
  for (let i = 0; i < length; i++) pool.page(pages[i >> 5]!)[i & 31] = i;
}

test('a page holds 32 positions', () => {
  const { pool, session } = setUp();
  for (const [length, pages] of [
    [1, 1],
    [31, 1],
    [32, 1],
    [33, 2],
    [64, 2],
    [65, 3],
  ] as const) {
    session.reserve(0, length, 0);
    assert.is(session.count, pages, `${length} positions`);
    session.truncate(0);
    assert.is(pool.pages.size, 0);
  }
});

test('truncate drops the pages wholly behind the length', () => {
  const { pool, session } = setUp();
  session.reserve(0, 100, 0);
  session.truncate(64);
  assert.is(pool.pages.size, 2);
  session.truncate(63);
  assert.is(pool.pages.size, 2);
  session.truncate(32);
  assert.is(pool.pages.size, 1);
});

test('a fork takes no page; the first to write into a shared one copies it', () => {
  const { pool, all, session } = setUp();
  session.reserve(0, 40, 0);
  write(pool, session, 40);
  const fork = session.fork();
  assert.is(all.inUse, 2);
  fork.reserve(40, 41, 40);
  assert.is(all.inUse, 3);
  assert.is(pool.copies, 1);
  session.reserve(40, 41, 40);
  assert.is(pool.copies, 1, 'the last holder writes in place');
  fork.dispose();
  assert.is(all.inUse, 2);
  session.dispose();
  assert.is(all.inUse, 0);
  assert.is(pool.pages.size, 0);
});

test('a fork that begins a new page copies nothing', () => {
  const { pool, session } = setUp();
  session.reserve(0, 64, 0);
  write(pool, session, 64);
  const fork = session.fork();
  fork.reserve(64, 70, 64);
  session.reserve(64, 70, 64);
  assert.is(pool.copies, 0);
  assert.is(pool.pages.size, 4);
});

test('truncating into a shared page copies what is kept of it', () => {
  const { pool, session } = setUp();
  session.reserve(0, 40, 0);
  write(pool, session, 40);
  const fork = session.fork();
  fork.truncate(35);
  fork.reserve(35, 36, 35);
  const { pages } = fork.table as unknown as { pages: number[] };
  assert.equal(pool.page(pages[1]!).slice(0, 4), [32, 33, 34, -1]);
});

test('when the pool is full nothing changes', () => {
  const { pool, all, session } = setUp(4);
  session.reserve(0, 40, 0);
  write(pool, session, 40);
  const fork = session.fork();
  const before = [...(fork.table as unknown as { pages: number[] }).pages];
  assert.throws(() => fork.reserve(40, 129, 40), /5 pages, limit 4/);
  assert.is(all.inUse, 2);
  assert.equal((fork.table as unknown as { pages: number[] }).pages, before);
  fork.reserve(40, 96, 40);
  assert.is(all.inUse, 4);
});

test('dispose may be called twice', () => {
  const { pool, session } = setUp();
  session.reserve(0, 40, 0);
  session.dispose();
  session.dispose();
  assert.is(pool.pages.size, 0);
});

test.run();
