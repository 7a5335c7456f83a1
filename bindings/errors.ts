// Every error the library throws on purpose. A message says where, what was expected and what came:
//   [checkpoint] model.layers.3.mlp.down_proj.weight: shape [64, 170], expected [64, 172]

export type ErrorCode =
  | 'FORMAT'
  | 'SOURCE'
  | 'SHAPE'
  | 'UNSUPPORTED'
  | 'CAPACITY'
  | 'OPTION'
  | 'WORKER'
  | 'DISPOSED';

/** Base of all errors below: `code` is stable, the message is for people. */
export class HalfbyteError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** A file does not mean what its metadata says. */
export class FormatError extends HalfbyteError {
  constructor(message: string, options?: ErrorOptions) {
    super('FORMAT', message, options);
  }
}

/** Bytes could not be read or written. */
export class SourceError extends HalfbyteError {
  constructor(message: string, options?: ErrorOptions) {
    super('SOURCE', message, options);
  }
}

/** A tensor has another shape than the plan needs. */
export class ShapeError extends HalfbyteError {
  constructor(message: string, options?: ErrorOptions) {
    super('SHAPE', message, options);
  }
}

/** The input is valid, but halfbyte cannot run it. */
export class UnsupportedError extends HalfbyteError {
  constructor(message: string, options?: ErrorOptions) {
    super('UNSUPPORTED', message, options);
  }
}

/** The context or the memory is full. */
export class CapacityError extends HalfbyteError {
  constructor(message: string, options?: ErrorOptions) {
    super('CAPACITY', message, options);
  }
}

/** A caller's option or argument is out of range. */
export class OptionError extends HalfbyteError {
  constructor(message: string, options?: ErrorOptions) {
    super('OPTION', message, options);
  }
}

/** A worker thread failed. */
export class WorkerError extends HalfbyteError {
  constructor(message: string, options?: ErrorOptions) {
    super('WORKER', message, options);
  }
}

/** A model or session was used after `dispose()`. */
export class DisposedError extends HalfbyteError {
  constructor(message: string, options?: ErrorOptions) {
    super('DISPOSED', message, options);
  }
}

/** A caller's value in a message. Any value has a text here: symbols, objects without a prototype, endless arrays. */
export function show(value: unknown): string {
  try {
    const text = String(value);
    return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
  } catch {
    return typeof value;
  }
}

const LONGEST_SHOWN = 60;
