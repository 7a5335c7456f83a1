// Text to evaluate: documents, cut into chunks of tokens.

const SEPARATOR = /^<\|endoftext\|>\r?$/m;

/** Tokens, of which the first is given and every other one is predicted. */
export type Chunk = readonly number[];

/** The documents of a text, separated by a line `<|endoftext|>`; outer white space is not theirs. */
export function splitDocuments(text: string): string[] {
  return text
    .split(SEPARATOR)
    .map((document) => document.trim())
    .filter((document) => document !== '');
}

/**
 * Chunks of at most `length` tokens of one document. BOS, if there is one, goes before each chunk;
 * chunks with nothing to predict are left out.
 */
export function cutChunks(tokens: readonly number[], length: number, bos: number | null): Chunk[] {
  const chunks: Chunk[] = [];
  for (let begin = 0; begin < tokens.length; begin += length) {
    const piece = tokens.slice(begin, begin + length);
    if (bos !== null) chunks.push([bos, ...piece]);
    else if (piece.length > 1) chunks.push(piece);
  }
  return chunks;
}
