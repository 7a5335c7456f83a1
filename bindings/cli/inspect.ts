import type { KvType, MemoryNeed } from '../executor/executor.js';
import { WasmExecutor } from '../executor/wasm/executor.js';
import { openCheckpoint } from '../model/checkpoint.js';
import { checkWeights } from '../plan/check.js';
import { planFor } from '../plan/plan_for.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { COMMON, RUNTIME } from './options.js';
import { type TensorReport, tensorReport, tensorTotals } from './tensors.js';
import { megabytes } from './words.js';

interface Inspection {
  readonly architecture: string;
  readonly parameters: number;
  /** Scales and biases included, over all parameters. */
  readonly bitsPerWeight: number;
  /** Of the safetensors files. */
  readonly fileBytes: number;
  /** Memory needed: packed weights, KV pages of one full context, and everything fixed besides. */
  readonly residentBytes: MemoryNeed;
  readonly tensors: readonly TensorReport[];
}

const { threads, 'kv-cache': kvCache } = RUNTIME;

export const inspect: Command = {
  spec: {
    name: 'inspect',
    summary: 'Tensors, schemes, bits per weight, memory needed.',
    usage: ['MODEL [--threads N --kv-cache T --json]'],
    options: { threads, 'kv-cache': kvCache, ...COMMON },
  },

  async run(options, terminal) {
    const kvType = options.choice<KvType>('kv-cache', ['f32', 'f16', 'int8']);
    const inspection = await inspectModel(options.model, {
      threads: options.threads() ?? 'auto',
      ...(kvType === undefined ? {} : { kvType }),
      signal: terminal.signal,
    });
    if (options.has('json')) writeJson(terminal, inspection);
    else writeTable(terminal, inspection);
  },
};

async function inspectModel(
  location: string,
  options: {
    readonly threads: number | 'auto';
    readonly kvType?: KvType;
    readonly signal: AbortSignal;
  },
): Promise<Inspection> {
  const checkpoint = await openCheckpoint(location, { signal: options.signal });
  try {
    const { config, weights, fileBytes } = checkpoint;
    const plan = planFor(config);
    checkWeights(plan, weights, location);
    const tensors = [...weights.values()].map(tensorReport);
    const kvType = options.kvType ?? defaultKvType(checkpoint);
    return {
      architecture: config.architecture,
      ...tensorTotals(tensors),
      fileBytes,
      residentBytes: WasmExecutor.memoryNeed(plan, checkpoint, { ...options, kvType }),
      tensors,
    };
  } finally {
    await checkpoint.close();
  }
}

function writeTable(terminal: Terminal, inspection: Inspection): void {
  const { architecture, parameters, bitsPerWeight, fileBytes, residentBytes, tensors } = inspection;
  const rows = tensors.map(({ name, shape, scheme, bytes }) => {
    return [name, `[${shape.join(', ')}]`, scheme, megabytes(bytes)];
  });
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    const [name, shape, scheme, size] = row.map((cell, i) => cell.padEnd(widths[i] ?? 0));
    terminal.write(`${name}  ${shape}  ${scheme}  ${size!.padStart(9)}\n`);
  }
  const { weights, kvCache, arena } = residentBytes;
  terminal.write(
    [
      '',
      `architecture     ${architecture}`,
      `parameters       ${parameters.toLocaleString('en-US')}`,
      `bits per weight  ${bitsPerWeight.toFixed(2)}`,
      `file             ${megabytes(fileBytes)}`,
      `memory needed    ${megabytes(weights + kvCache + arena)}: weights ${megabytes(weights)}, ` +
        `KV cache of one context ${megabytes(kvCache)}, arena ${megabytes(arena)}`,
      '',
    ].join('\n'),
  );
}
