import { type Inspection, inspectModel, type TensorInspection } from '../inspect.js';
import { shapeText } from '../model/packed_weight.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { COMMON, THREADS_AND_CACHE } from './options.js';
import { printable } from './printable.js';
import { cacheOptions } from './run_model.js';
import { table } from './table.js';
import { megabytes } from './words.js';

export const inspect: Command = {
  spec: {
    name: 'inspect',
    summary: 'Formats, bits per weight, memory needed; of each tensor too.',
    usage: ['MODEL [--tensors] [--threads N --kv-cache T --json]'],
    options: {
      tensors: { help: 'a line for each: format, bits per weight, bytes on disk and in memory' },
      ...THREADS_AND_CACHE,
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const { signal } = terminal;
    const inspection = await inspectModel(options.model, { ...cacheOptions(options), signal });
    if (options.has('json')) return writeJson(terminal, inspection);
    if (options.has('tensors')) writeTensors(terminal, inspection.tensors);
    writeTotals(terminal, inspection);
  },
};

function writeTensors(terminal: Terminal, tensors: readonly TensorInspection[]): void {
  const columns = [
    { title: 'path' },
    { title: 'shape' },
    { title: 'format' },
    { title: 'bits per weight', right: true },
    { title: 'on disk', right: true },
    { title: 'in memory', right: true },
  ];
  const rows = tensors.map(({ path, shape, scheme, bitsPerWeight, bytes, residentBytes }) => [
    printable(path),
    shapeText(shape),
    scheme,
    bitsPerWeight.toFixed(2),
    megabytes(bytes),
    megabytes(residentBytes),
  ]);
  terminal.write(`${table(columns, rows)}\n`);
}

function writeTotals(terminal: Terminal, inspection: Inspection): void {
  const { architecture, parameters, bitsPerWeight, fileBytes, residentBytes, tensors } = inspection;
  const { weights, kvCache, arena } = residentBytes;
  const lines = [
    `architecture     ${printable(architecture)}`,
    `parameters       ${parameters.toLocaleString('en-US')}`,
    `formats          ${formats(tensors)}`,
    `bits per weight  ${bitsPerWeight.toFixed(2)}`,
    `file             ${megabytes(fileBytes)}`,
    `memory needed    ${megabytes(weights + kvCache + arena)}: weights ${megabytes(weights)}, ` +
      `KV cache of one context ${megabytes(kvCache)}, arena ${megabytes(arena)}`,
  ];
  terminal.write(`${lines.join('\n')}\n`);
}

/** Each format with the number of its tensors, the most bytes first. */
function formats(tensors: readonly TensorInspection[]): string {
  const bySize = [...tensors].sort((a, b) => b.bytes - a.bytes);
  const counts = new Map<string, number>();
  for (const { scheme } of bySize) counts.set(scheme, (counts.get(scheme) ?? 0) + 1);
  return [...counts].map(([scheme, count]) => `${scheme} (${count})`).join(', ');
}
