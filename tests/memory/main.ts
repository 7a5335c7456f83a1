// Measures in a process of its own and prints JSON; how far it is goes to stderr:
//
//   node --expose-gc main.js generate MODEL CYCLES    resident bytes, sampled over generate-and-dispose cycles
//   node --expose-gc main.js load MODEL CYCLES        the same over load-and-dispose cycles
//   node --expose-gc main.js peak MODEL               { before, peak, predicted } of loading it once

import { inspectModel, loadModel } from '../../bindings/index.js';
import { peakResidentBytes, residentBytes } from './resident.js';

const [what, location = '', cycles = '0'] = process.argv.slice(2);
const SAMPLES = 50;
const LIFE_SIGNS = 10;

if (what === 'generate') print(await generateCycles());
else if (what === 'load') print(await loadCycles());
else print(await peakOfLoading());

async function generateCycles(): Promise<number[]> {
  const model = await loadModel(location, { threads: 2 });
  const samples = await sampled(Number(cycles), async (i) => {
    const options = { maxTokens: 4 + (i % 5), temperature: 1, seed: i };
    await model.complete('Once upon a time', options);
  });
  await model.dispose();
  return samples;
}

function loadCycles(): Promise<number[]> {
  return sampled(Number(cycles), async () => {
    const model = await loadModel(location, { threads: 2 });
    await model.complete('Once', { maxTokens: 1 });
    await model.dispose();
  });
}

async function sampled(count: number, cycle: (i: number) => Promise<void>): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    await cycle(i);
    if ((i + 1) % Math.ceil(count / LIFE_SIGNS) === 0) {
      process.stderr.write(`${what}: ${i + 1} of ${count} cycles\n`);
    }
    if ((i + 1) % Math.ceil(count / SAMPLES) === 0) samples.push(await residentBytes());
  }
  return samples;
}

async function peakOfLoading() {
  const { residentBytes: predicted } = await inspectModel(location, { threads: 1 });
  const before = await residentBytes();
  const model = await loadModel(location, { threads: 1 });
  const peak = peakResidentBytes();
  await model.dispose();
  return { before, peak, predicted: predicted.weights + predicted.arena };
}

function print(value: unknown): void {
  process.stdout.write(JSON.stringify(value));
}
