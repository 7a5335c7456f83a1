// The types as a user's compiler sees them: by module resolution, and by what other types the program has.

import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { runOrThrow } from './origins.mjs';

const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const TYPES = ['@types/node', 'undici-types'];

const RESOLUTIONS = {
  node16: { module: 'node16' },
  nodenext: { module: 'nodenext' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
};
const SURROUNDINGS = {
  'no other types': { lib: ['ES2022'], types: [], files: [] },
  "Node's types": { lib: ['ES2022'], types: ['node'], files: ['host.mts'] },
  "the DOM's types": { lib: ['ES2022', 'DOM'], types: [], files: ['host.mts'] },
};

/**
 * @param {import('../examples/checks.mjs').Checks} checks
 * @param {string} project
 */
export async function checkTypes(checks, project) {
  for (const name of TYPES) {
    cpSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name), {
      recursive: true,
    });
  }
  for (const [resolution, module] of Object.entries(RESOLUTIONS)) {
    for (const [surroundings, { lib, types, files }] of Object.entries(SURROUNDINGS)) {
      await checks.check(`types: ${resolution}, ${surroundings}`, async () => {
        const compilerOptions = {
          ...module,
          lib,
          types,
          target: 'ES2022',
          strict: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: false,
          noEmit: true,
        };
        const config = { compilerOptions, files: ['use.mts', 'use.cts', ...files] };
        writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
        await runOrThrow(project, process.execPath, [TSC, '-p', '.']);
      });
    }
  }
}
