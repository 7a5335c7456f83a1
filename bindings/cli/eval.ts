import { OptionError } from '../errors.js';
import type { Model } from '../load.js';
import { logProbability } from '../session/log_probability.js';
import type { Session } from '../session/session.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { type Chunk, cutChunks, splitDocuments } from './documents.js';
import { COMMON } from './options.js';
import { ProgressBar } from './progress.js';
import { RUNTIME, withModel } from './run_model.js';
import { readTextFile } from './text_file.js';

/** Longer chunks are measured only when asked for. */
const MOST_BY_DEFAULT = 2048;

interface Evaluation {
  /** Mean of -ln p over all predicted tokens. */
  readonly nll: number;
  readonly perplexity: number;
  /** Predicted ones. */
  readonly tokens: number;
  readonly contextLength: number;
}

export const evaluate: Command = {
  spec: {
    name: 'eval',
    summary: 'Mean negative log-likelihood per token and perplexity of a text.',
    usage: ['MODEL --text FILE [--context N]', '[--threads N --device D --kv-cache T --json]'],
    options: {
      text: { value: 'FILE', help: 'documents, separated by a line <|endoftext|>' },
      context: {
        value: 'N',
        help: `tokens of a chunk (default: the model's context, at most ${MOST_BY_DEFAULT})`,
      },
      ...RUNTIME,
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const file = options.required('text');
    const context = options.whole('context', 1);
    const text = await readTextFile(file, '--text');
    const evaluation = await withModel(options, terminal, (model) => {
      return evaluateText(model, text, context, terminal);
    });
    if (options.has('json')) return writeJson(terminal, evaluation);
    const { nll, perplexity, tokens, contextLength } = evaluation;
    terminal.write(
      `nll ${nll.toFixed(4)}, perplexity ${perplexity.toFixed(4)}: ` +
        `${tokens} tokens, context ${contextLength}\n`,
    );
  },
};

async function evaluateText(
  model: Model,
  text: string,
  context: number | undefined,
  { signal }: Terminal,
): Promise<Evaluation> {
  const most = model.config.contextLength;
  const contextLength = context ?? Math.min(most, MOST_BY_DEFAULT);
  if (contextLength > most) {
    throw new OptionError(`[--context] expected at most ${most}, came ${contextLength}`);
  }
  const chunks = await tokenize(model, text, contextLength, signal);
  const total = chunks.reduce((sum, chunk) => sum + chunk.length - 1, 0);
  if (total === 0) throw new OptionError('[--text] expected tokens to predict, came none');
  const bar = new ProgressBar('evaluating');
  const session = await model.createSession({ contextLength });
  let sum = 0;
  let tokens = 0;
  try {
    for (const chunk of chunks) {
      sum += await chunkLogProbability(session, chunk, signal);
      tokens += chunk.length - 1;
      bar.update(tokens, total);
    }
  } finally {
    bar.end();
    await session.dispose();
  }
  const nll = -sum / tokens;
  return { nll, perplexity: Math.exp(nll), tokens, contextLength };
}

async function tokenize(
  { tokenizer }: Model,
  text: string,
  contextLength: number,
  signal: AbortSignal,
): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (const document of splitDocuments(text)) {
    const tokens = await tokenizer.encodeAsync(document, { addSpecialTokens: false, signal });
    chunks.push(...cutChunks(tokens, contextLength, tokenizer.bosTokenId));
  }
  return chunks;
}

/** Sum of ln p over the tokens after the first. The last one is not fed, so that BOS fits in. */
async function chunkLogProbability(
  session: Session,
  chunk: Chunk,
  signal: AbortSignal,
): Promise<number> {
  await session.truncate(0);
  const fed = chunk.slice(0, -1);
  const [, ...logProbs] = await session.logProbs(fed, { signal });
  await session.truncate(fed.length - 1);
  const logits = await session.decode(fed.at(-1)!, { signal });
  return logProbs.reduce((sum, value) => sum + value, logProbability(logits, chunk.at(-1)!));
}
