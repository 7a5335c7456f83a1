// Prints the outcomes of the relaxed SIMD build as JSON: run by a Node that has it.

import { outcomes } from './hashes.js';

process.stdout.write(JSON.stringify(await outcomes('relaxed')));
