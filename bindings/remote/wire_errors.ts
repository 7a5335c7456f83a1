// Errors across the boundary: structured cloning keeps neither their class nor their code.

import {
  CapacityError,
  DisposedError,
  type ErrorCode,
  FormatError,
  HalfbyteError,
  OptionError,
  ShapeError,
  SourceError,
  UnsupportedError,
  WorkerError,
} from '../errors.js';
import type { WireError } from './protocol.js';

const CLASSES: Readonly<Record<ErrorCode, new (message: string) => HalfbyteError>> = {
  FORMAT: FormatError,
  SOURCE: SourceError,
  SHAPE: ShapeError,
  UNSUPPORTED: UnsupportedError,
  CAPACITY: CapacityError,
  OPTION: OptionError,
  WORKER: WorkerError,
  DISPOSED: DisposedError,
};

export function packError(error: unknown, aborted: boolean): WireError {
  const known = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof HalfbyteError ? error.code : null;
  return { name: known.name, message: known.message, code, stack: known.stack, aborted };
}

/** The same error again, with the stack of where it was thrown. */
export function unpackError({ name, message, code, stack }: WireError): Error {
  const known = code !== null && Object.hasOwn(CLASSES, code) ? CLASSES[code as ErrorCode] : null;
  const error = known ? new known(message) : new Error(message);
  if (!known) error.name = name;
  if (stack) error.stack = stack;
  return error;
}
