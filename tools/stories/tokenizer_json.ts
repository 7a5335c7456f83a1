// A llama2.c vocabulary as Hugging Face's tokenizer.json: byte-pair merges over whole text, where a space is
// `▁` and one more stands in front, and what no piece covers is spelled in bytes.

import type { Piece } from './llama2c.js';

export const UNKNOWN = '<unk>';
export const BOS = '<s>';
export const EOS = '</s>';
const BOS_ID = 1;
const SPECIAL = [UNKNOWN, BOS, EOS];
/** The pieces after the special ones are the 256 bytes. */
const BYTES = 256;
const SPACE = '▁';

/** An object to be written as JSON. */
export function tokenizerJson(vocabulary: readonly Piece[]): Record<string, unknown> {
  const names = vocabulary.map(pieceName);
  const bos = { SpecialToken: { id: BOS, type_id: 0 } };
  const text = { Sequence: { id: 'A', type_id: 0 } };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({ id, content, ...SPECIAL_FLAGS })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: SPACE },
        { type: 'Replace', pattern: { String: ' ' }, content: SPACE },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [bos, text],
      pair: [
        bos,
        text,
        { SpecialToken: { id: BOS, type_id: 1 } },
        { Sequence: { id: 'B', type_id: 1 } },
      ],
      special_tokens: { [BOS]: { id: BOS, ids: [BOS_ID], tokens: [BOS] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: UNKNOWN,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
      merges: mergesOf(vocabulary, names),
    },
  };
}

export const SPECIAL_FLAGS = {
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
};

function pieceName({ text }: Piece, id: number): string {
  if (id < SPECIAL.length) return SPECIAL[id]!;
  const byte = id - SPECIAL.length;
  if (byte < BYTES) return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
  return text.replaceAll(' ', SPACE);
}

/** Every pair of pieces that makes a piece; the pairs of better pieces first, as sentencepiece prefers them. */
function mergesOf(vocabulary: readonly Piece[], names: readonly string[]): [string, string][] {
  const ids = new Map(names.map((name, id) => [name, id]));
  const order = names.map((_, id) => id);
  order.sort((a, b) => vocabulary[b]!.score - vocabulary[a]!.score || a - b);
  return order.flatMap((id) => {
    const characters = [...names[id]!];
    const pairs: { left: number; right: number }[] = [];
    for (let i = 1; i < characters.length; i++) {
      const left = ids.get(characters.slice(0, i).join(''));
      const right = ids.get(characters.slice(i).join(''));
      if (left !== undefined && right !== undefined) pairs.push({ left, right });
    }
    pairs.sort((a, b) => a.left - b.left || a.right - b.right);
    return pairs.map(({ left, right }): [string, string] => [names[left]!, names[right]!]);
  });
}
