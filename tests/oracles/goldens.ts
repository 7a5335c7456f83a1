// What the published implementations made (README.md). `npm run test:oracles` names a folder of its own, in which
// they have just made it again.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** As seen from build/tests/oracles. */
const COMMITTED = fileURLToPath(new URL('../../../tests/oracles/goldens/', import.meta.url));
const GOLDENS = process.env['HALFBYTE_GOLDENS'] ?? COMMITTED;

export function goldenPath(name: string): string {
  return join(GOLDENS, name);
}

/** Cases by name, as tests/oracles/NAME.py made them. */
export function goldens<T>(name: string): readonly (readonly [string, T])[] {
  return Object.entries(JSON.parse(readFileSync(goldenPath(`${name}.json`), 'utf8')));
}

export function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

/** SHA-256, as `digest` of seeded.py. */
export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** As `json_digest` of seeded.py. */
export function jsonDigest(value: unknown): string {
  return digest(Buffer.from(JSON.stringify(value)));
}
