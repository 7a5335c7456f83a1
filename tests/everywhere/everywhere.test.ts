// The suite in the Node that runs the tests; `npm run test:everywhere` has the other runtimes.

import { test } from 'uvu';
import './suite.js';
import './fits.js';
import { cases } from './support/collect.js';

for (const { name, run } of cases) test(name, run);

test.run();
