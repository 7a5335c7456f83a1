// halfbyte beside other runtimes on the same weights: `npm run bench:peers` installs them and starts this.
// Options are those of plan.ts. The table goes to stdout, and with every sample into files.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runMain } from '../options.js';
import { type ComparisonResult, compare, DECODE_TOKENS, PROMPT_TOKENS } from './comparison.js';
import { describeMachine, type Machine, machineText } from './machine.js';
import { modelFor } from './models.js';
import { compareOps, ONNXRUNTIME, type OpRates } from './op_comparison.js';
import { chromiumRefusal } from './page_host.js';
import { type Plan, parsePlan } from './plan.js';
import { agreementTable, modelRows, opRows, rowTable } from './report.js';
import type { Site } from './runtimes.js';
import { serve } from './server.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface Results {
  readonly models: readonly ComparisonResult[];
  readonly ops: readonly OpRates[];
  /** What could not be measured, and why. */
  readonly missing: readonly string[];
}

await runMain(async () => {
  const plan = parsePlan(process.argv.slice(2), join(ROOT, '.cache', 'peers'));
  const folders = {
    build: join(ROOT, 'build'),
    packages: join(ROOT, 'bench', 'peers', 'node_modules'),
    models: join(ROOT, '.cache', 'models'),
  };
  const server = await serve(folders);
  try {
    const site = { url: server.url, ...folders };
    const machine = await describeMachine(site);
    await write(plan, machine, await measure(plan, site));
  } finally {
    await server.close();
  }
});

async function measure(plan: Plan, site: Site): Promise<Results> {
  const models: ComparisonResult[] = [];
  const ops: OpRates[] = [];
  const missing: string[] = [];
  /** One that fails does not take the others with it, but the command has failed. */
  const attempt = async (what: string, work: () => Promise<void>) => {
    process.stderr.write(`${what}\n`);
    try {
      await work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      missing.push(`${what}: ${message}`);
      process.stderr.write(`  not measured: ${message}\n`);
      process.exitCode = 1;
    }
  };
  for (const comparison of plan.models) {
    const { place, shape, threads, peers } = comparison;
    const names = peers.map(({ name }) => name).join(', ');
    await attempt(`${place}, ${shape.name}, threads: ${threads}, over ${names}`, async () => {
      const refusal = place === 'Chromium' ? chromiumRefusal() : null;
      if (refusal) throw new Error(refusal);
      const model = await modelFor(shape, site.models);
      models.push(await compare(comparison, model, plan.trials, site));
    });
  }
  if (plan.ops) {
    await attempt(`one matmul over ${ONNXRUNTIME.name}`, async () => {
      ops.push(...(await compareOps(plan.trials, site)));
    });
  }
  return { models, ops, missing };
}

async function write(plan: Plan, machine: Machine, results: Results): Promise<void> {
  const rows = [...results.models.flatMap(modelRows), ...opRows(results.ops)];
  const report = [
    `${machineText(machine)}\n`,
    `Prompts of ${PROMPT_TOKENS} tokens, then ${DECODE_TOKENS} decoded, greedy, KV cache of float16; ` +
      `medians of ${plan.trials} trials in turns.\n`,
    `${rowTable(rows)}\n`,
    'The same weights: what follows a prompt of 32 tokens in halfbyte and in the others.\n',
    `${agreementTable(results.models)}\n`,
    ...results.missing.map((what) => `Not measured: ${what}\n`),
  ].join('\n');
  await mkdir(plan.out, { recursive: true });
  await writeFile(join(plan.out, 'peers.md'), report);
  const json = { when: new Date().toISOString(), machine, rows, ...results };
  await writeFile(join(plan.out, 'peers.json'), `${JSON.stringify(json, null, 2)}\n`);
  process.stdout.write(report);
}
