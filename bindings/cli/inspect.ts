import { type Inspection, inspectModel } from '../inspect.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { COMMON, THREADS_AND_CACHE } from './options.js';
import { printable } from './printable.js';
import { cacheOptions } from './run_model.js';
import { megabytes } from './words.js';

export const inspect: Command = {
  spec: {
    name: 'inspect',
    summary: 'Tensors, schemes, bits per weight, memory needed.',
    usage: ['MODEL [--threads N --kv-cache T --json]'],
    options: { ...THREADS_AND_CACHE, ...COMMON },
  },

  async run(options, terminal) {
    const { signal } = terminal;
    const inspection = await inspectModel(options.model, { ...cacheOptions(options), signal });
    if (options.has('json')) writeJson(terminal, inspection);
    else writeTable(terminal, inspection);
  },
};

function writeTable(terminal: Terminal, inspection: Inspection): void {
  const { architecture, parameters, bitsPerWeight, fileBytes, residentBytes, tensors } = inspection;
  const rows = tensors.map(({ name, shape, scheme, bytes }) => {
    return [printable(name), `[${shape.join(', ')}]`, scheme, megabytes(bytes)] as const;
  });
  const width = (column: 0 | 1 | 2 | 3) => Math.max(...rows.map((row) => row[column].length));
  const widths = [width(0), width(1), width(2), width(3)] as const;
  for (const [name, shape, scheme, size] of rows) {
    terminal.write(
      `${name.padEnd(widths[0])}  ${shape.padEnd(widths[1])}  ${scheme.padEnd(widths[2])}` +
        `  ${size.padStart(widths[3])}\n`,
    );
  }
  const { weights, kvCache, arena } = residentBytes;
  const lines = [
    '',
    `architecture     ${printable(architecture)}`,
    `parameters       ${parameters.toLocaleString('en-US')}`,
    `bits per weight  ${bitsPerWeight.toFixed(2)}`,
    `file             ${megabytes(fileBytes)}`,
    `memory needed    ${megabytes(weights + kvCache + arena)}: weights ${megabytes(weights)}, ` +
      `KV cache of one context ${megabytes(kvCache)}, arena ${megabytes(arena)}`,
  ];
  terminal.write(`${lines.join('\n')}\n`);
}
