import * as assert from 'uvu/assert';

/**
 * Asserts that a promise is rejected, or a function throws, with this code and a message that holds all the
 * parts.
 */
export async function rejects(
  work: Promise<unknown> | (() => unknown),
  code: string,
  ...parts: readonly (string | number)[]
): Promise<void> {
  let error: unknown;
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (caught) {
    error = caught;
  }
  assert.instance(error, Error, `expected ${code}, nothing was thrown`);
  const { message } = error as Error;
  assert.is((error as { code?: string }).code, code, message);
  for (const part of parts)
    assert.ok(message.includes(String(part)), `"${message}" lacks "${part}"`);
}
