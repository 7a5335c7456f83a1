import { test } from 'uvu';
import * as assert from 'uvu/assert';

const SIGNS = new URL('../../../tools/test/life_signs.mjs', import.meta.url).href;
type Module = typeof import('../../tools/test/life_signs.mjs');
const { LifeSigns } = (await import(SIGNS)) as Module;

test('a long test says that it runs, and how far it is', async () => {
  const written: string[] = [];
  let ending = () => {};
  await new Promise<void>((resolve) => {
    const write = (text: string) => {
      if (written.push(text) === 1) signs.hear('cycle 1 of 9\ncycle 2 of 9\ncyc');
      else resolve();
    };
    const signs = new LifeSigns('some.test.ts', { write }, 5);
    ending = () => signs.end();
  });
  ending();
  assert.match(written[0]!, /^some\.test\.ts: running for \d+ s\n$/);
  assert.match(written[1]!, /^some\.test\.ts: running for \d+ s; cycle 2 of 9\n$/);
});

test.run();
