// How well models predict a text, and how far they are from the first of them: all are fed the same few tokens in
// turn, so that no more logits are held than of these.

import { OptionError } from '../errors.js';
import type { Model } from '../load.js';
import { divergence, likeliest, logProbability } from '../session/log_probability.js';
import { Session } from '../session/session.js';
import { type Chunk, cutChunks, splitDocuments } from './documents.js';
import type { LoadedModel } from './run_model.js';

/** Tokens that are fed at a time; of these all logits of two models are held. */
const PIECE_TOKENS = 32;

/** Of one model over all predicted tokens. */
export interface Score {
  /** Mean of -ln p. */
  readonly nll: number;
  readonly perplexity: number;
  /** Mean Kullback-Leibler divergence from the first model, in nats; 0 for itself. */
  readonly kl: number;
  /** Part of the tokens at which the first model and this one find the same token likeliest. */
  readonly top1Agreement: number;
  readonly tokensPerSecond: number;
}

/**
 * The documents of a text as chunks of at most `length` tokens, the same for all models.
 * @throws OptionError for models of different vocabularies, and if there is nothing to predict
 */
export async function sharedChunks(
  loaded: readonly LoadedModel[],
  text: string,
  length: number,
  signal: AbortSignal,
): Promise<Chunk[]> {
  const [first, ...others] = loaded as [LoadedModel, ...LoadedModel[]];
  const { vocabSize } = first.model.config;
  for (const { location, model } of others) {
    if (model.config.vocabSize === vocabSize) continue;
    throw new OptionError(
      `[eval] ${location}: expected ${vocabSize} tokens in the vocabulary, as ${first.location} has, ` +
        `came ${model.config.vocabSize}`,
    );
  }
  const chunks = await tokenize(first.model, text, length, signal);
  if (predicted(chunks) === 0)
    throw new OptionError('[--text] expected tokens to predict, came none');
  for (const { location, model } of others) {
    checkSame(chunks, await tokenize(model, text, length, signal), first.location, location);
  }
  return chunks;
}

export function predicted(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length - 1, 0);
}

async function tokenize(
  { tokenizer }: Model,
  text: string,
  length: number,
  signal: AbortSignal,
): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (const document of splitDocuments(text)) {
    const tokens = await tokenizer.encodeAsync(document, { addSpecialTokens: false, signal });
    chunks.push(...cutChunks(tokens, length, tokenizer.bosTokenId));
  }
  return chunks;
}

function checkSame(expected: Chunk[], came: Chunk[], first: string, location: string): void {
  const [theirs, ours] = [expected.flat(), came.flat()];
  const at = theirs.findIndex((token, i) => ours[i] !== token);
  if (at < 0 && theirs.length === ours.length) return;
  const difference =
    at < 0
      ? `${theirs.length} tokens, came ${ours.length}`
      : `token ${at} to be ${theirs[at]}, came ${ours[at] ?? 'none'}`;
  throw new OptionError(
    `[eval] ${location}: its tokenizer reads the text otherwise than that of ${first}: expected ${difference}`,
  );
}

/** What one model is at, and has come to. */
interface Run {
  readonly session: Session;
  logProbability: number;
  divergence: number;
  agreed: number;
  ms: number;
}

/**
 * Scores every model by the chunks.
 * @param onPredicted told how many tokens one of the models has predicted since the last call
 * @throws what sessions throw
 */
export async function scoreModels(
  models: readonly Model[],
  chunks: readonly Chunk[],
  contextLength: number,
  signal: AbortSignal,
  onPredicted: (tokens: number) => void,
): Promise<Score[]> {
  const runs: Run[] = [];
  try {
    for (const model of models) {
      const session = await model.createSession({ contextLength });
      runs.push({ session, logProbability: 0, divergence: 0, agreed: 0, ms: 0 });
    }
    for (const chunk of chunks) {
      for (const { session } of runs) await session.truncate(0);
      // The last token is not fed, so that BOS fits in.
      for (let begin = 0; begin < chunk.length - 1; begin += PIECE_TOKENS) {
        const end = Math.min(begin + PIECE_TOKENS, chunk.length - 1);
        await scorePiece(runs, chunk, begin, end, signal, () => onPredicted(end - begin));
      }
    }
    return runs.map((run) => score(run, predicted(chunks)));
  } finally {
    for (const { session } of runs) await session.dispose();
  }
}

/** Feeds the tokens [begin, end) of a chunk to every model; each predicts the one behind it. */
async function scorePiece(
  runs: readonly Run[],
  chunk: Chunk,
  begin: number,
  end: number,
  signal: AbortSignal,
  onModel: () => void,
): Promise<void> {
  let first: Float32Array[] | null = null;
  for (const run of runs) {
    const rows = await feed(run, chunk.slice(begin, end), signal);
    for (const [i, logits] of rows.entries()) {
      run.logProbability += logProbability(logits, chunk[begin + i + 1]!);
      // The first model is where it is itself.
      if (first) run.divergence += divergence(first[i]!, logits);
      if (!first || likeliest(first[i]!) === likeliest(logits)) run.agreed++;
    }
    first ??= rows;
    onModel();
  }
}

/** @returns copies of the logits of every token */
async function feed(run: Run, tokens: Chunk, signal: AbortSignal): Promise<Float32Array[]> {
  const started = performance.now();
  const rows: Float32Array[] = [];
  const keep = (_: number, logits: Float32Array) => void rows.push(logits.slice());
  await Session.readLogits(run.session, tokens, keep, { signal });
  run.ms += performance.now() - started;
  return rows;
}

function score({ logProbability, divergence, agreed, ms }: Run, tokens: number): Score {
  const nll = -logProbability / tokens;
  return {
    nll,
    perplexity: Math.exp(nll),
    kl: divergence / tokens,
    top1Agreement: agreed / tokens,
    tokensPerSecond: (tokens * 1000) / ms,
  };
}
