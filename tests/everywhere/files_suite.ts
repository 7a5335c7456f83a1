// The suite for runtimes that have files: Node, Deno and Bun.

import './fits.js';

export { runSuite } from './suite.js';
