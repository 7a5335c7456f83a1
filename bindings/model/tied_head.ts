// A head that is tied is the embedding. Writers store it a second time all the same: as a copy it is harmless,
// another one contradicts config.json.

import { FormatError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import type { Part, Weight } from './weight.js';

const PIECE_BYTES = 1 << 20;

/**
 * Reads the head that was stored beside a tied embedding, if there is one, and compares the two.
 * @throws FormatError unless they are the same, byte for byte
 */
export async function checkTiedHead(checkpoint: Checkpoint, signal?: AbortSignal): Promise<void> {
  const { storedHead: head, weights, name } = checkpoint;
  const embedding = weights.get('model.embed_tokens');
  if (!head || !embedding) return;
  const refuse = (why: string) => {
    const tied = 'tie_word_embeddings in config.json makes it model.embed_tokens.weight';
    return new FormatError(`[${name}] lm_head.weight: ${tied}, but ${why}`);
  };
  const [came, expected] = [head, embedding].map(({ shape, format }) =>
    JSON.stringify({ shape, format }),
  );
  if (came !== expected) throw refuse(`it is ${came}, not ${expected}`);
  for (const [i, part] of head.parts.entries()) {
    const byte = await firstDifference(part, embedding.parts[i]!, signal);
    if (byte >= 0) throw refuse(`row ${rowOf(byte, part, head)} of its ${part.role} differs`);
  }
}

function rowOf(byte: number, { bytes }: Part, { shape }: Weight): number {
  return Math.floor((byte / bytes) * shape[0]!);
}

/** The first byte in which two parts of one size differ, or -1. */
async function firstDifference(a: Part, b: Part, signal?: AbortSignal): Promise<number> {
  for (let begin = 0; begin < a.bytes; begin += PIECE_BYTES) {
    const [one, other] = await Promise.all(
      [a, b].map(async ({ source, offset, bytes }) => {
        const piece = new Uint8Array(Math.min(PIECE_BYTES, bytes - begin));
        await source.read(offset + begin, piece, signal);
        return piece;
      }),
    );
    for (let i = 0; i < one!.length; i++) if (one![i] !== other![i]) return begin + i;
  }
  return -1;
}
