// deno run --allow-read examples/deno.ts MODEL [PROMPT]: a story, as it comes.

import { type GenerateOptions, loadModel } from 'halfbyte';

const [location, prompt = 'Once upon a time'] = Deno.args;
if (location === undefined) {
  console.error('usage: deno run --allow-read examples/deno.ts MODEL [PROMPT]');
  Deno.exit(2);
}

const options: GenerateOptions = { maxTokens: 100, temperature: 0.8, seed: 7 };
const encoder = new TextEncoder();
const write = (text: string) => Deno.stdout.write(encoder.encode(text));

const model = await loadModel(location);
await write(prompt);
for await (const { text } of model.generate(prompt, options)) await write(text);
await write('\n');
await model.dispose();
