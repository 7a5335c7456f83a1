import { OptionError } from '../errors.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { type Comparison, comparisonPage, comparisonTable } from './comparison.js';
import { predicted, scoreModels, sharedChunks } from './evaluation.js';
import { COMMON } from './options.js';
import { ProgressBar } from './progress.js';
import { type LoadedModel, RUNTIME, withModels } from './run_model.js';
import { readTextFile } from './text_file.js';
import { withFile } from './whole_file.js';

/** Longer chunks are measured only when asked for. */
const MOST_BY_DEFAULT = 2048;

export const evaluate: Command = {
  spec: {
    name: 'eval',
    summary: 'How well models predict a text; of several: how near they are.',
    usage: [
      'MODEL [MODEL...] --text FILE [--context N] [--html FILE]',
      '[--threads N --device D --kv-cache T --json]',
    ],
    operands: { least: 1, most: Number.POSITIVE_INFINITY, words: 'one MODEL or more' },
    options: {
      text: { value: 'FILE', help: 'documents, separated by a line <|endoftext|>' },
      context: {
        value: 'N',
        help: `tokens of a chunk (default: the models' context, at most ${MOST_BY_DEFAULT})`,
      },
      html: { value: 'FILE', help: 'a page with a plot of size and quality of several models' },
      ...RUNTIME,
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const file = options.required('text');
    const context = options.whole('context', 1);
    const html = options.text('html');
    if (html !== undefined && options.operands.length < 2) {
      throw new OptionError('[--html] expected several models to compare, came one');
    }
    const text = await readTextFile(file, '--text');
    const comparison = await withFile(html, '--html', terminal, async (page) => {
      const measured = await withModels(options, terminal, (loaded) =>
        compare(loaded, text, context, terminal),
      );
      page?.write(comparisonPage(measured, file));
      return measured;
    });
    if (comparison.models.length === 1) tellOne(comparison, options.has('json'), terminal);
    else if (options.has('json')) writeJson(terminal, comparison);
    else terminal.write(comparisonTable(comparison));
  },
};

async function compare(
  loaded: readonly LoadedModel[],
  text: string,
  context: number | undefined,
  { signal }: Terminal,
): Promise<Comparison> {
  const most = Math.min(...loaded.map(({ model }) => model.config.contextLength));
  const contextLength = context ?? Math.min(most, MOST_BY_DEFAULT);
  if (contextLength > most) {
    throw new OptionError(`[--context] expected at most ${most}, came ${contextLength}`);
  }
  const chunks = await sharedChunks(loaded, text, contextLength, signal);
  const tokens = predicted(chunks);
  const bar = new ProgressBar('evaluating');
  let done = 0;
  const onPredicted = (count: number) => {
    done += count;
    bar.update(done, tokens * loaded.length);
  };
  const models = loaded.map(({ model }) => model);
  const scores = await scoreModels(models, chunks, contextLength, signal, onPredicted).finally(() =>
    bar.end(),
  );
  return {
    tokens,
    contextLength,
    models: loaded.map(({ location, fileBytes, bitsPerWeight }, i) => {
      return { model: location, fileBytes, bitsPerWeight, ...scores[i]! };
    }),
  };
}

function tellOne({ tokens, contextLength, models }: Comparison, json: boolean, terminal: Terminal) {
  const { nll, perplexity } = models[0]!;
  if (json) return writeJson(terminal, { nll, perplexity, tokens, contextLength });
  terminal.write(
    `nll ${nll.toFixed(4)}, perplexity ${perplexity.toFixed(4)}: ` +
      `${tokens} tokens, context ${contextLength}\n`,
  );
}
