// Parts of tokenizer.json, one by one: what is done with a text before the model.

export const STAGES: Readonly<Record<'normalizer' | 'pre_tokenizer', readonly object[]>> = {
  normalizer: [
    ...['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase'].map((type) => ({ type })),
    { type: 'Prepend', prepend: '\u2581' },
    { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' },
    { type: 'Replace', pattern: { Regex: '\\s{2,}' }, content: ' ' },
  ],
  pre_tokenizer: [
    ...[true, false].flatMap((use_regex) =>
      [true, false].map((add_prefix_space) => {
        return { type: 'ByteLevel', add_prefix_space, trim_offsets: true, use_regex };
      }),
    ),
    ...['always', 'first', 'never'].map((prepend_scheme) => {
      return { type: 'Metaspace', replacement: '\u2581', prepend_scheme, split: false };
    }),
    split({ String: ' ' }, 'Isolated'),
    ...['\\s+', '\\d', '\\d{1,3}', '\\d{1,3}(?=(?:\\d{3})*\\b)'].map((Regex) =>
      split({ Regex }, 'Isolated'),
    ),
    split({ Regex: '\\s+' }, 'Removed'),
  ],
};

function split(pattern: object, behavior: string): object {
  return { type: 'Split', pattern, behavior, invert: false };
}
