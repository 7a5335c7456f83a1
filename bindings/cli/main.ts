#!/usr/bin/env node
// halfbyte: starts the program, which lies beside the library as one file, for sixty files take longer to load.

import module from 'node:module';
import { fileURLToPath } from 'node:url';

const BUILD = new URL('../../', import.meta.url);

// Node keeps what it compiled of the program, where it can: in the package's own folder, which nobody writes to
// who may not change the program itself. Other runtimes and Node 20 have no such cache.
const { enableCompileCache } = module as { enableCompileCache?(folder: string): unknown };
enableCompileCache?.(fileURLToPath(new URL('compile-cache', BUILD)));
await import(new URL('bundled/cli/program.js', BUILD).href);
