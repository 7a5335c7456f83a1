// What main.mjs and main.cjs share: the texts, as one line of JSON.

const { join } = require('node:path');

exports.generateAll = async ({ loadModel, compressModel, inline, worker, core }) => {
  const [tiny, float] = process.argv.slice(2);
  const compressed = join(__dirname, 'compressed.safetensors');
  await compressModel(float, compressed, { scheme: 'int4', force: true });
  const texts = {
    plain: await textOf(loadModel, tiny),
    threads: await textOf(loadModel, tiny, { threads: 2 }),
    worker: await textOf(loadModel, tiny, { threads: 2, core: { worker } }),
    core: await textOf(loadModel, tiny, { core: { wasm: core } }),
    inline: await textOf(inline.loadModel, tiny, { threads: 2 }),
    compressed: await textOf(loadModel, compressed),
  };
  console.log(JSON.stringify(texts));
};

async function textOf(loadModel, location, options) {
  const model = await loadModel(location, options);
  let all = '';
  for await (const { text } of model.generate('Once upon a time', {
    maxTokens: 16,
    temperature: 0,
  })) {
    all += text;
  }
  await model.dispose();
  return all;
}
