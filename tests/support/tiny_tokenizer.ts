// A small byte-fallback BPE tokenizer in SentencePiece's manner: <unk> <s> </s>, 256 bytes, pieces.

const SPECIALS = ['<unk>', '<s>', '</s>'];
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
const SPACE = '\u2581';
/** Frequent pairs of English, most frequent first; each side is a piece that came before. */
const MERGES = [
  [SPACE, 't'],
  ['h', 'e'],
  [`${SPACE}t`, 'he'],
  [SPACE, 'a'],
  ['i', 'n'],
  ['n', 'd'],
  [`${SPACE}a`, 'nd'],
  ['e', 'r'],
  ['o', 'n'],
  ['r', 'e'],
  [SPACE, 's'],
  [SPACE, 'w'],
  ['in', 'g'],
] as const;

/** tokenizer.json with exactly `vocabSize` tokens; below 259 the bytes are left out. */
export function tinyTokenizer(vocabSize: number): Record<string, unknown> {
  const byteFallback = vocabSize >= SPECIALS.length + 256;
  const bytes = Array.from({ length: 256 }, (_, i) => {
    return `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`;
  });
  const tokens = [...SPECIALS, ...(byteFallback ? bytes : []), SPACE, ...LETTERS];
  const merges: (readonly [string, string])[] = [...MERGES];
  const known = new Set([...tokens, ...merges.map((pair) => pair.join(''))]);
  for (const left of LETTERS) {
    for (const right of LETTERS) {
      if (!known.has(left + right)) merges.push([left, right]);
    }
  }
  const vocab = [...tokens, ...merges.map((pair) => pair.join(''))].slice(0, vocabSize);
  // More than English needs: pieces that nothing merges to.
  while (vocab.length < vocabSize) vocab.push(`<spare_${vocab.length}>`);
  const kept = new Set(vocab);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIALS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
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
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
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
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: byteFallback,
      vocab: Object.fromEntries(vocab.map((token, id) => [token, id])),
      merges: merges.filter((pair) => kept.has(pair.join(''))).map((pair) => pair.join(' ')),
    },
  };
}

export function tinyTokenizerConfig(): Record<string, unknown> {
  return {
    tokenizer_class: 'LlamaTokenizer',
    bos_token: '<s>',
    eos_token: '</s>',
    unk_token: '<unk>',
    add_bos_token: true,
    add_eos_token: false,
    clean_up_tokenization_spaces: false,
  };
}
