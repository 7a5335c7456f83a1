// compress_matrices IN OUT RECIPE: compresses the float matrices of one safetensors file and writes what they then
// are as float32, whatever the architecture; prints bits per weight and how many outliers there are. RECIPE is a
// short name or JSON.

import { rm } from 'node:fs/promises';
import { openFile } from '#platform';
import { assignSchemes, quantizationKeys } from '../../../bindings/compress/output_tensor.js';
import { parseRecipe, schemeRecipe } from '../../../bindings/compress/recipe.js';
import { writeFile } from '../../../bindings/compress/rewrite.js';
import { writeWeights } from '../../../bindings/compress/write_weights.js';
import { parseQuantization } from '../../../bindings/model/quantization.js';
import { readSafetensors } from '../../../bindings/model/safetensors.js';
import { matrixShape } from '../../../bindings/model/weight.js';
import { collectWeights } from '../../../bindings/model/weights.js';

const [from, out, words] = process.argv.slice(2) as [string, string, string];
const recipe = words.startsWith('{')
  ? parseRecipe({ global: JSON.parse(words) })
  : schemeRecipe(words);
const packed = `${out}.packed`;

const source = await openFile(from);
const floats = collectWeights((await readSafetensors(source)).tensors, null, from);
const tensors = assignSchemes(floats.values(), recipe);
const { bitsPerWeight } = await writeFile(packed, (sink) =>
  writeWeights(tensors, sink, {}, 'compress', { threads: 1 }),
);

const quantization = parseQuantization(quantizationKeys(tensors), 'config.json');
const { tensors: stored } = await readSafetensors(await openFile(packed));
const weights = [...collectWeights(stored, quantization, packed).values()];
const decoded = weights.map((weight) => ({ weight, scheme: 'f32' as const }));
await rm(out, { force: true });
await writeFile(out, (sink) => writeWeights(decoded, sink, {}, 'decompress', { threads: 1 }));
await rm(packed);

let outliers = 0;
let count = 0;
for (const weight of weights) {
  outliers += weight.format.outliers?.count ?? 0;
  const { n, k } = matrixShape(weight);
  count += n * k;
}
process.stdout.write(`${JSON.stringify({ bitsPerWeight, outliers: outliers / count })}\n`);
