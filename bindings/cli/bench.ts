import { OptionError } from '../errors.js';
import type { Model } from '../load.js';
import { Random } from '../sampler/random.js';
import { Sampler } from '../sampler/sampler.js';
import type { StepTrace } from '../trace/step_trace.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { COMMON, type Options } from './options.js';
import { ProgressBar } from './progress.js';
import { RUNTIME, withModel } from './run_model.js';
import { TRACE, type TraceFile, withTrace } from './trace_file.js';
import { count, median, megabytes } from './words.js';

const PROMPT_TOKENS = 128;
const DECODE_TOKENS = 64;
const TRIALS = 5;
const SEED = 1;

interface Sizes {
  readonly promptTokens: number;
  readonly decodeTokens: number;
  readonly trials: number;
}

/** Milliseconds of one trial. */
interface Trial {
  readonly firstTokenMs: number;
  readonly decodeMs: number;
}

export const bench: Command = {
  spec: {
    name: 'bench',
    summary: 'Prefill and decode speed, time to the first token, peak memory.',
    usage: [
      'MODEL [--prompt-tokens N --decode-tokens N --trials N]',
      '[--threads N --device D --kv-cache T --trace FILE --json]',
    ],
    options: {
      'prompt-tokens': { value: 'N', help: `random prompt (default: ${PROMPT_TOKENS})` },
      'decode-tokens': { value: 'N', help: `decoded after it (default: ${DECODE_TOKENS})` },
      trials: { value: 'N', help: `after one to warm up; medians (default: ${TRIALS})` },
      ...TRACE,
      ...RUNTIME,
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const sizes = {
      promptTokens: options.whole('prompt-tokens', 1) ?? PROMPT_TOKENS,
      decodeTokens: options.whole('decode-tokens', 1) ?? DECODE_TOKENS,
      trials: options.whole('trials', 1) ?? TRIALS,
    };
    const report = await withTrace(options, terminal, async (trace) => {
      const figures = await withModel(options, terminal, async (model) => {
        const trials = await runTrials(model, sizes, terminal);
        return summarize(model, sizes, trials);
      });
      if (!trace) return figures;
      await traceTrial(options, terminal, sizes, trace);
      return { ...figures, trace: trace.summary.phases() };
    });
    if (options.has('json')) return writeJson(terminal, report);
    terminal.write(
      [
        `prefill      ${report.prefillTokensPerSecond.toFixed(1)} tokens/s (${sizes.promptTokens})`,
        `decode       ${report.decodeTokensPerSecond.toFixed(1)} tokens/s (${sizes.decodeTokens})`,
        `first token  ${report.firstTokenMs.toFixed(1)} ms`,
        `load         ${report.loadMs.toFixed(0)} ms`,
        `peak memory  ${megabytes(report.peakMemoryBytes)}, the whole process`,
        `median of ${count(sizes.trials, 'trial')}, ${count(report.threads, 'thread')}, ` +
          `${report.device}, ${report.simd} SIMD\n`,
      ].join('\n'),
    );
  },
};

async function runTrials(
  model: Model,
  { promptTokens, decodeTokens, trials }: Sizes,
  { signal }: Terminal,
): Promise<Trial[]> {
  const { contextLength, vocabSize } = model.config;
  // The last token decoded is not fed.
  if (promptTokens + decodeTokens > contextLength) {
    throw new OptionError(
      `[bench] --prompt-tokens ${promptTokens} and --decode-tokens ${decodeTokens}: ` +
        `expected at most ${contextLength} together, the model's context`,
    );
  }
  const random = Random.fromSeed(SEED);
  const bar = new ProgressBar('measuring');
  const done: Trial[] = [];
  try {
    for (let trial = 0; trial <= trials; trial++) {
      bar.update(trial, trials + 1);
      const prompt = randomPrompt(random, promptTokens, vocabSize);
      const result = await runTrial(model, prompt, decodeTokens, signal);
      if (trial > 0) done.push(result);
    }
  } finally {
    bar.end();
  }
  return done;
}

/** One more trial, after one to warm up, in a model loaded anew: tracing must not touch the figures. */
async function traceTrial(
  options: Options,
  terminal: Terminal,
  { promptTokens, decodeTokens }: Sizes,
  trace: TraceFile,
): Promise<void> {
  let warm = false;
  const onTrace = (step: StepTrace) => {
    if (warm) trace.add(step);
  };
  const run = async (model: Model) => {
    const prompt = randomPrompt(Random.fromSeed(SEED), promptTokens, model.config.vocabSize);
    await runTrial(model, prompt, decodeTokens, terminal.signal);
    warm = true;
    await runTrial(model, prompt, decodeTokens, terminal.signal);
  };
  await withModel(options, terminal, run, onTrace);
}

function randomPrompt(random: Random, length: number, vocabSize: number): number[] {
  return Array.from({ length }, () => Math.floor(random.uniform() * vocabSize));
}

/** Greedy, as sampling is not what is measured; tokens that end a text do not end it. */
async function runTrial(
  model: Model,
  prompt: readonly number[],
  decodeTokens: number,
  signal: AbortSignal,
): Promise<Trial> {
  const greedy = new Sampler({ temperature: 0 });
  const session = await model.createSession();
  try {
    const started = performance.now();
    let token = await session.sample(prompt, greedy, { signal });
    const first = performance.now();
    for (let i = 0; i < decodeTokens; i++)
      token = await session.sample([token], greedy, { signal });
    return { firstTokenMs: first - started, decodeMs: performance.now() - first };
  } finally {
    await session.dispose();
  }
}

function summarize(model: Model, sizes: Sizes, trials: readonly Trial[]) {
  const firstTokenMs = median(trials.map((trial) => trial.firstTokenMs));
  const decodeMs = median(trials.map((trial) => trial.decodeMs));
  const { threads, simd, device } = model.runtime;
  return {
    prefillTokensPerSecond: (sizes.promptTokens * 1000) / firstTokenMs,
    decodeTokensPerSecond: (sizes.decodeTokens * 1000) / decodeMs,
    firstTokenMs,
    loadMs: model.loadMs,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    ...sizes,
    threads,
    simd,
    device,
  };
}
