// Sessions by number, and what the page has been told of their tokens.

import { DisposedError } from '../errors.js';
import type { Session } from '../session/session.js';
import type { SessionFacts, SessionState } from './protocol.js';

export class SessionTable {
  readonly #sessions = new Map<number, { readonly session: Session; readonly told: number[] }>();
  #last = 0;

  add(session: Session): SessionFacts {
    const { contextLength } = session;
    const tokens = session.tokens.slice();
    this.#sessions.set(++this.#last, { session, told: tokens });
    return { session: this.#last, contextLength, tokens };
  }

  /** @throws DisposedError */
  get(id: number): Session {
    const known = this.#sessions.get(id);
    if (!known) throw new DisposedError('[session] it was disposed');
    return known.session;
  }

  async remove(id: number): Promise<void> {
    const known = this.#sessions.get(id);
    this.#sessions.delete(id);
    await known?.session.dispose();
  }

  /** Tokens that have changed since the last time, of every session. */
  changes(): SessionState[] {
    const changes: SessionState[] = [];
    for (const [id, { session, told }] of this.#sessions) {
      const { tokens } = session;
      let from = 0;
      while (from < told.length && told[from] === tokens[from]) from++;
      if (from === told.length && from === tokens.length) continue;
      const rest = tokens.slice(from);
      told.length = from;
      for (const token of rest) told.push(token);
      changes.push({ session: id, from, tokens: rest });
    }
    return changes;
  }
}
