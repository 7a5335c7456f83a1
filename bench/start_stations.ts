// One load and one token in a fresh process, station by station, as JSON of milliseconds. Started by start.ts.

import { createExecutor, startCore } from '../bindings/executor/select.js';
import { openCheckpoint } from '../bindings/model/checkpoint.js';
import { checkWeights } from '../bindings/plan/check.js';
import { planFor } from '../bindings/plan/plan_for.js';
import { Sampler } from '../bindings/sampler/sampler.js';
import { KvPages } from '../bindings/session/kv_pages.js';
import { Session } from '../bindings/session/session.js';
import { TurnQueue } from '../bindings/session/turn_queue.js';
import { createTokenizer } from '../bindings/text/tokenizer.js';

const [location = '', prompt = ''] = process.argv.slice(2);
const stations: Record<string, number> = {};
let since = performance.now();

function arrive(name: string): void {
  const now = performance.now();
  stations[name] = now - since;
  since = now;
}

const module = startCore({});
const checkpoint = await openCheckpoint(location);
const { config, texts } = checkpoint;
const plan = planFor(config);
checkWeights(plan, checkpoint.weights, location);
arrive('open');
const tokenizer = createTokenizer(texts, config);
arrive('tokenizer');
const executor = await createExecutor(plan, checkpoint, {}, module);
await checkpoint.close();
arrive('weights');
const tokens = tokenizer.encode(prompt);
const session = new Session(
  {
    executor,
    pages: new KvPages(executor.kv),
    turns: new TurnQueue(),
    vocabSize: config.vocabSize,
    sessions: new Set(),
    known: new WeakSet(),
  },
  config.contextLength,
);
arrive('encode');
await session.sample(tokens, new Sampler({ temperature: 0 }));
arrive('first step');
await executor.dispose();
process.stdout.write(JSON.stringify(stations));
process.exit(0);
