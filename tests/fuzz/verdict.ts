// What may come of a stranger's input: it runs, or it is refused by an error that names something. All else is
// a finding.

import { HalfbyteError } from '../../bindings/errors.js';

export type Verdict = 'accepted' | 'refused';

/** What should not have happened. */
export class Finding extends Error {
  /** For the summary: `TypeError`, `logits`, `time`, `memory` and so on. */
  readonly what: string;

  constructor(what: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Finding';
    this.what = what;
  }
}

/** `[file, tensor or option] what was expected, what came`. */
const NAMED = /^\[[^\]]+\] /;
/** The words of a call have no place of their own. */
const CALL = /^expected a command/;
/** A value may be quoted whole; a file may not. */
const LONGEST_MESSAGE = 20_000;

/** Whether `error` is a refusal as it should be. @throws Finding if it is anything else */
export function refused(error: unknown): 'refused' {
  if (!(error instanceof HalfbyteError)) throw asFinding(error);
  const { message } = error;
  if (!NAMED.test(message) && !CALL.test(message)) {
    throw new Finding('nameless', message, { cause: error });
  }
  if (message.length > LONGEST_MESSAGE) {
    const text = `${message.length} characters: ${message.slice(0, 200)}`;
    throw new Finding('long message', text, { cause: error });
  }
  return 'refused';
}

function asFinding(error: unknown): Finding {
  if (error instanceof Finding) return error;
  if (!(error instanceof Error)) return new Finding(typeof error, String(error), { cause: error });
  return new Finding(error.name, error.message, { cause: error });
}

/** Runs what may be refused. @throws Finding */
export async function judge(run: () => Promise<void>): Promise<Verdict> {
  try {
    await run();
    return 'accepted';
  } catch (error) {
    return refused(error);
  }
}

/** What is reported of an error: findings of one fault look alike. */
export interface Seen {
  readonly what: string;
  readonly message: string;
  readonly stack: string;
}

export function seen(error: unknown): Seen {
  const finding = asFinding(error);
  const { cause } = finding;
  const stack = (cause instanceof Error ? cause.stack : finding.stack) ?? '';
  return { what: finding.what, message: finding.message, stack };
}

/** Kind, message without what differs from input to input, and the place it was thrown at. */
export function shapeOf(kind: string, { what, message, stack }: Seen): string {
  const plain = message
    .slice(0, 300)
    .replace(/"(?:[^"\\]|\\.)*"|'[^']*'|`[^`]*`|“[^”]*”/g, '"')
    .replace(/\/.*\//g, '/')
    .replace(/-?\d[\d.e+-]*/g, '#')
    .replace(/[^\x20-\x7e]+/g, '?')
    .slice(0, 100);
  const place = /(?:bindings|node_modules)\/[^\s():]+/.exec(stack)?.[0] ?? '';
  return `${kind} | ${what} | ${plain} | ${place}`;
}
