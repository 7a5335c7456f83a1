// What is done with a text before and behind the model. The library's own kinds are used one by one, so that a
// sequence of them can be watched for growth and left between two words, and patterns of the file run in our matcher.

import {
  type AddedToken,
  ByteFallbackDecoder,
  ByteLevelPreTokenizer,
  type Decoder,
  type Normalizer,
  type PostProcessor,
  type PreTokenizer,
  ReplaceDecoder,
  ReplaceNormalizer,
  ReplacePreTokenizer,
  SequenceDecoder,
  SequenceNormalizer,
  SequencePreTokenizer,
  SplitPreTokenizer,
} from '@huggingface/tokenizers';
import { FormatError } from '../errors.js';
import { Pattern } from './pattern/pattern.js';
import { inPart, type PartName } from './tokenizer_parts.js';

export type Normalize = (text: string) => string;
/** Words of a text, as they are asked for. @param section how many parts of the text came before it */
export type PreTokenize = (text: string, section: number) => Iterable<string>;
export type Decode = (tokens: readonly string[]) => string;

/** What kinds that replace have in common. */
interface Replacing {
  readonly config: {
    readonly pattern: { readonly String?: string; readonly Regex?: string };
    readonly content?: string;
  };
  readonly pattern: RegExp | null;
}

/** What a part may make of a text: the largest that is meant, one Arabic ligature, becomes 18 characters. */
const MOST_GROWTH = 32;
const MOST_ADDED = 4096;

export function normalizer(node: Normalizer | null): Normalize | null {
  if (node === null) return null;
  const stages = normalizeStages(node);
  return (given) =>
    inPart('normalizer', () => {
      let text = given;
      for (const stage of stages) {
        text = stage(text);
        checkGrowth('normalizer', given.length, text.length);
      }
      return text;
    });
}

function normalizeStages(node: Normalizer | null): Normalize[] {
  if (node === null) return [];
  if (node instanceof SequenceNormalizer) return node.normalizers.flatMap(normalizeStages);
  if (node instanceof ReplaceNormalizer) return [replacer('normalizer', node)];
  return [(text) => node.normalize(text)];
}

/** @throws FormatError, naming the part, for a pattern that cannot be used */
export function preTokenizer(node: PreTokenizer | null): PreTokenize {
  const stages = inPart('pre_tokenizer', () => preTokenizeStages(node));
  return function* (given, section) {
    let characters = 0;
    function* through(stage: number, text: string): Generator<string> {
      if (stage === stages.length) yield text;
      else {
        for (const word of stages[stage]!(text, section)) {
          characters += word.length;
          checkGrowth('pre_tokenizer', given.length, characters / stages.length);
          yield* through(stage + 1, word);
        }
      }
    }
    yield* through(0, given);
  };
}

function preTokenizeStages(node: PreTokenizer | null): PreTokenize[] {
  if (node === null) return [];
  if (node instanceof SequencePreTokenizer) return node.tokenizers.flatMap(preTokenizeStages);
  if (node instanceof SplitPreTokenizer && 'Regex' in node.config.pattern) return [splitter(node)];
  if (node instanceof ReplacePreTokenizer) {
    const replace = replacer('pre_tokenizer', node);
    return [(text) => [replace(text)]];
  }
  if (node instanceof ByteLevelPreTokenizer) return [(text) => byteLevel(node, text)];
  return [(text, section) => node.pre_tokenize_text(text, { section_index: section })];
}

function splitter({ config, pattern }: SplitPreTokenizer): PreTokenize {
  const found = new Pattern(pattern!.source, 'pre_tokenizer');
  const keepsMatches = config.invert || config.behavior?.toLowerCase() !== 'removed';
  const keepsOthers = !config.invert;
  return function* (text) {
    let at = 0;
    for (const { begin, end } of found.matches(text)) {
      if (keepsOthers && begin > at) yield text.slice(at, begin);
      if (keepsMatches && end > begin) yield text.slice(begin, end);
      at = end;
    }
    if (keepsOthers && at < text.length) yield text.slice(at);
  };
}

/** GPT-2's words. The library's have RegExp's \s, which is not Unicode's white space: U+FEFF is none, U+0085 is. */
const BYTE_LEVEL_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
/** Such bytes stand for themselves, but for the space. */
const PRINTABLE = /^ ?[!-~]+$/;
const SPACE = '\u0120';

function* byteLevel(node: ByteLevelPreTokenizer, given: string): Generator<string> {
  const text = node.add_prefix_space && !given.startsWith(' ') ? ` ${given}` : given;
  const words = node.use_regex ? text.matchAll(BYTE_LEVEL_WORDS) : [[text] as const];
  for (const [word] of words) {
    if (PRINTABLE.test(word)) yield word.startsWith(' ') ? SPACE + word.slice(1) : word;
    else {
      const bytes = node.text_encoder.encode(word);
      yield Array.from(bytes, (byte) => node.byte_encoder[byte]).join('');
    }
  }
}

/**
 * @param added tokens that some decoders leave as they are
 * @param suffix what marks the end of a word, or ''
 */
export function decoder(
  node: Decoder | null,
  added: readonly AddedToken[],
  suffix: string,
): Decode {
  if (node === null) return (tokens) => tokens.join(' ');
  node.added_tokens = [...added];
  const stages = decodeStages(node);
  return (given) =>
    inPart('decoder', () => {
      let tokens = [...given];
      const length = charactersOf(tokens);
      for (const stage of stages) {
        tokens = stage(tokens);
        checkGrowth('decoder', length, charactersOf(tokens));
      }
      const text = tokens.join('');
      return suffix === '' ? text : text.replaceAll(suffix, ' ');
    });
}

function decodeStages(node: Decoder): ((tokens: string[]) => string[])[] {
  if (node instanceof SequenceDecoder) return node.decoders.flatMap(decodeStages);
  if (node instanceof ReplaceDecoder) {
    const replace = replacer('decoder', node);
    return [(tokens) => tokens.map(replace)];
  }
  // U+FEFF is a character of the text like any other.
  if (node instanceof ByteFallbackDecoder)
    node.text_decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return [(tokens) => node.decode_chain(tokens)];
}

/** Puts `content` in the place of all matches, as it is: `$1` in it means nothing. */
function replacer(part: PartName, { config, pattern }: Replacing): Normalize {
  const { Regex, String: text = '' } = config.pattern;
  const content = config.content ?? '';
  if (Regex === undefined) return textReplacer(part, text, content);
  const found = new Pattern(pattern!.source, part);
  return (given) => {
    const pieces: string[] = [];
    let at = 0;
    let length = given.length;
    for (const { begin, end } of found.matches(given)) {
      length += content.length - (end - begin);
      checkGrowth(part, given.length, length);
      pieces.push(given.slice(at, begin));
      at = end;
    }
    pieces.push(given.slice(at));
    return pieces.join(content);
  };
}

function textReplacer(part: PartName, text: string, content: string): Normalize {
  const growth = content.length - text.length;
  const literal = content.replaceAll('$', '$$$$');
  return (given) => {
    if (growth > 0) {
      let length = given.length;
      for (let at = given.indexOf(text); at >= 0; at = given.indexOf(text, at + text.length)) {
        length += growth;
      }
      checkGrowth(part, given.length, length);
    }
    return given.replaceAll(text, literal);
  };
}

/** Tokens that a post-processor puts before and behind a text. */
export function around(node: PostProcessor | null): Record<'before' | 'after', string[]> {
  const text = 'text\0';
  const tokens = node ? inPart('post_processor', () => node([text], null, true).tokens) : [text];
  const at = tokens.indexOf(text);
  if (at < 0 || at !== tokens.lastIndexOf(text)) {
    throw new FormatError('[tokenizer.json] post_processor: expected the text once in its result');
  }
  return { before: tokens.slice(0, at), after: tokens.slice(at + 1) };
}

function charactersOf(tokens: readonly string[]): number {
  return tokens.reduce((sum, token) => sum + token.length, 0);
}

function checkGrowth(part: PartName, before: number, after: number): void {
  const most = MOST_GROWTH * before + MOST_ADDED;
  if (after <= most) return;
  throw new FormatError(
    `[tokenizer.json] ${part}: makes ${Math.ceil(after)} characters of ${before}, more than ${most}`,
  );
}
