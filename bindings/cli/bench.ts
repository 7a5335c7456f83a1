import { OptionError } from '../errors.js';
import type { Model } from '../load.js';
import { Random } from '../sampler/random.js';
import { Sampler } from '../sampler/sampler.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { COMMON } from './options.js';
import { ProgressBar } from './progress.js';
import { RUNTIME, withModel } from './run_model.js';
import { randomPrompt, runTrial, type Trial } from './trial.js';
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

export const bench: Command = {
  spec: {
    name: 'bench',
    summary: 'Prefill and decode speed, time to the first token, peak memory.',
    usage: [
      'MODEL [--prompt-tokens N --decode-tokens N --trials N]',
      '[--threads N --device D --kv-cache T --json]',
    ],
    options: {
      'prompt-tokens': { value: 'N', help: `random prompt (default: ${PROMPT_TOKENS})` },
      'decode-tokens': { value: 'N', help: `decoded after it (default: ${DECODE_TOKENS})` },
      trials: { value: 'N', help: `after one to warm up; medians (default: ${TRIALS})` },
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
    const report = await withModel(options, terminal, async (model) => {
      const trials = await runTrials(model, sizes, terminal);
      return summarize(model, sizes, trials);
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
  // Sampling is not what is measured.
  const greedy = new Sampler({ temperature: 0 });
  const bar = new ProgressBar('measuring');
  const done: Trial[] = [];
  try {
    for (let trial = 0; trial <= trials; trial++) {
      bar.update(trial, trials + 1);
      const prompt = randomPrompt(random, promptTokens, vocabSize);
      const session = await model.createSession();
      try {
        const result = await runTrial(session, greedy, prompt, decodeTokens, signal);
        if (trial > 0) done.push(result);
      } finally {
        await session.dispose();
      }
    }
  } finally {
    bar.end();
  }
  return done;
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
