// The made-up vocabulary of a GGUF: <unk> <s> </s>, the 256 bytes, and then one character a token, so that a
// runtime which takes only text can be fed chosen tokens too.

const SPECIALS = ['<unk>', '<s>', '</s>'];
const FIRST_CHARACTER = SPECIALS.length + 256;
/** A plane of Unicode without gaps, in which no tokenizer normalizes anything. */
const CHARACTERS = 0x20000;

const TYPES = { normal: 1, unknown: 2, control: 3, byte: 6 };

export function tokenText(id: number): string {
  const special = SPECIALS[id];
  if (special !== undefined) return special;
  if (id >= FIRST_CHARACTER) return String.fromCodePoint(CHARACTERS + id);
  const byte = id - SPECIALS.length;
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** GGUF's number of what kind of token it is. */
export function tokenType(id: number): number {
  if (id === 0) return TYPES.unknown;
  if (id < SPECIALS.length) return TYPES.control;
  return id < FIRST_CHARACTER ? TYPES.byte : TYPES.normal;
}

/** `count` tokens that have characters. @param random uniform in [0, 1) */
export function characterPrompt(count: number, vocabSize: number, random: () => number): number[] {
  return Array.from({ length: count }, () => {
    return FIRST_CHARACTER + Math.floor(random() * (vocabSize - FIRST_CHARACTER));
  });
}
