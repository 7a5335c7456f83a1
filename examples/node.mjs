// node examples/node.mjs MODEL [PROMPT]: a story, as it comes.

import { loadModel } from 'halfbyte';

const [location, prompt = 'Once upon a time'] = process.argv.slice(2);
if (location === undefined) {
  console.error('usage: node examples/node.mjs MODEL [PROMPT]');
  process.exit(2);
}

const model = await loadModel(location);
process.stdout.write(prompt);
for await (const { text } of model.generate(prompt, {
  maxTokens: 100,
  temperature: 0.8,
  seed: 7,
})) {
  process.stdout.write(text);
}
process.stdout.write('\n');
await model.dispose();
