// What most tests of the suite start from.

import { HalfbyteError, type LoadOptions, loadModel, type Model } from 'halfbyte';
import * as assert from 'uvu/assert';
import { modelBytes } from './models.js';

/** More than one step of 64 rows and more than one attention segment of 256 positions, and a ragged page. */
export const PROMPT: readonly number[] = Array.from(
  { length: 270 },
  (_, i) => 3 + ((i * i * 7 + i * 31) % 280),
);

/** Loads a model for the time of `use`. */
export async function withModel(
  scheme: string,
  options: LoadOptions,
  use: (model: Model) => Promise<void>,
): Promise<void> {
  const model = await loadModel(modelBytes(scheme), { threads: 1, ...options });
  try {
    await use(model);
  } finally {
    await model.dispose();
  }
}

/** Asserts that `run` fails with that code and a message that holds every part. @returns the error */
export async function rejects(
  run: () => unknown,
  code: HalfbyteError['code'],
  ...parts: string[]
): Promise<HalfbyteError> {
  const error = await thrownBy(run);
  if (!(error instanceof HalfbyteError)) {
    throw new Error(`expected an error with code ${code}, came ${error}`, { cause: error });
  }
  assert.is(error.code, code, error.message);
  for (const part of parts) assert.ok(error.message.includes(part), `no ${part}: ${error.message}`);
  return error;
}

/** What `run` throws, now or later; undefined if it does not. */
export async function thrownBy(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Asserts bit equality of logits. */
export function sameBits(actual: Float32Array, expected: Float32Array, what: string): void {
  assert.is(actual.length, expected.length, `${what}: length`);
  const bits = (values: Float32Array) =>
    new Uint32Array(values.buffer, values.byteOffset, values.length);
  const [a, b] = [bits(actual), bits(expected)];
  const at = a.findIndex((word, i) => word !== b[i]);
  assert.is(at, -1, `${what}: logit ${at} is ${actual[at]}, expected ${expected[at]}`);
}

/** SHA-256 in hex. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Float32 values one after another, little-endian. */
export function bytesOf(parts: readonly Float32Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4 * parts.reduce((sum, part) => sum + part.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const part of parts) {
    for (const value of part) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return out;
}
