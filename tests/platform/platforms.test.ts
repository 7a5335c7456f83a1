// Every platform provides the same: checked by types, as most of them cannot be loaded here.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as node from '../../bindings/platform/node.js';
import type { Platform } from '../../bindings/platform/platform.js';

type Provides<T extends Platform> = T;
export type Checked = [
  Provides<typeof import('../../bindings/platform/node.js')>,
  Provides<typeof import('../../bindings/platform/browser.js')>,
  Provides<typeof import('../../bindings/platform/edge.js')>,
  Provides<typeof import('../../bindings/platform/edge_light.js')>,
];

test('a location on disk is a path, on the web a URL', () => {
  assert.equal(node.locate('models/tiny'), { path: 'models/tiny' });
  assert.equal(node.locate('C:\\models'), { path: 'C:\\models' });
  assert.equal(node.locate('https://models.test/x'), { url: new URL('https://models.test/x') });
  assert.equal(node.locate(new URL('file:///models/tiny')), { path: '/models/tiny' });
  assert.throws(() => node.locate('https://'), /expected a path or a URL/);
});

test('the runtime has a name and a version', () => {
  const { name, version } = node.runtimeName();
  assert.ok(['node', 'deno', 'bun'].includes(name));
  assert.match(version, /^\d+\.\d+/);
  assert.ok(node.memoryInUse() > 1e6);
});

test.run();
