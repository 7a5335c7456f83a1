// What an error must look like: a stable code, and a message that holds the given words and
// numbers.

import * as assert from 'uvu/assert';
import { type ErrorCode, HalfbyteError } from '../../bindings/errors.js';

/** Asserts that `run` fails with that code, and that its message contains every part. */
export async function raises(
  run: () => unknown,
  code: ErrorCode,
  parts: readonly (string | number)[],
  name = '',
): Promise<void> {
  let error: unknown;
  try {
    await run();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error !== undefined, `${name}: nothing was thrown`);
  if (!(error instanceof HalfbyteError)) throw error;
  assert.is(error.code, code, `${name}: ${error.message}`);
  for (const part of parts) {
    assert.ok(error.message.includes(String(part)), `${name}: no ${part} in: ${error.message}`);
  }
}
