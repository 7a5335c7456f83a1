// A text model whose answers are written beforehand, on the tiny tokenizer: for tests of the stream of text.

import type { TextModel } from '../../bindings/generate.js';
import type { SessionOwner } from '../../bindings/session/owner.js';
import { Session } from '../../bindings/session/session.js';
import { createTokenizer, type Tokenizer } from '../../bindings/text/tokenizer.js';
import { FakeExecutor, type FakeOptions, fakeOwner } from './fake_executor.js';
import { tinyTokenizer, tinyTokenizerConfig } from './tiny_tokenizer.js';

export const FAKE_VOCABULARY = 330;
export const EOS = 2;

export interface FakeTextModel extends TextModel {
  readonly executor: FakeExecutor;
  readonly owner: SessionOwner;
}

export function fakeTokenizer(): Tokenizer {
  return createTokenizer(
    {
      tokenizer: JSON.stringify(tinyTokenizer(FAKE_VOCABULARY)),
      tokenizerConfig: JSON.stringify(tinyTokenizerConfig()),
    },
    { vocabSize: FAKE_VOCABULARY, bosTokenId: 1, eosTokenIds: [EOS] },
  );
}

/** A model of hashed logits, or of those in `options`. */
export function fakeTextModel(
  options: FakeOptions & { readonly contextLength?: number; readonly chatTemplate?: string } = {},
): FakeTextModel {
  const executor = new FakeExecutor({ vocabSize: FAKE_VOCABULARY, ...options });
  const owner = fakeOwner(executor);
  return {
    executor,
    owner,
    tokenizer: fakeTokenizer(),
    chatTemplate: options.chatTemplate ?? null,
    samplerDefaults: {},
    loadMs: 1,
    createSession: async () => new Session(owner, options.contextLength ?? 100),
  };
}

/** A model that answers every prompt of `promptLength` tokens with these tokens, then ends the text. */
export function scriptedModel(script: readonly number[], promptLength: number): FakeTextModel {
  return fakeTextModel({
    logitsAfter: (history) => {
      const logits = new Float32Array(FAKE_VOCABULARY);
      logits[script[history.length - promptLength] ?? EOS] = 9;
      return logits;
    },
  });
}
