// The words of a command line: options in any order with any value, run as the program runs them, without its
// process.

import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command, Terminal } from '../../../bindings/cli/command.js';
import { compress } from '../../../bindings/cli/compress.js';
import { decompress } from '../../../bindings/cli/decompress.js';
import { doctor } from '../../../bindings/cli/doctor.js';
import { evaluate } from '../../../bindings/cli/eval.js';
import { generate } from '../../../bindings/cli/generate.js';
import { commandHelp } from '../../../bindings/cli/help.js';
import { inspect } from '../../../bindings/cli/inspect.js';
import { parseOptions } from '../../../bindings/cli/options.js';
import type { TestRandom } from '../../support/random.js';
import { inScratch, scratchModels } from '../scratch.js';
import { type Damage, oneIn, pick, subject } from '../subject.js';
import { judge } from '../verdict.js';

interface Call {
  readonly command: Command;
  /** `@float` and the like stand for models that are there. */
  readonly words: string[];
}

const COMMANDS: readonly Command[] = [
  generate,
  generate,
  compress,
  decompress,
  evaluate,
  inspect,
  doctor,
];
const MODELS = ['@float', '@int4', '@float.safetensors', '@int4.safetensors'];
/** Never a path that leads out of the folder of the case. */
const VALUES = [
  ...[
    '',
    ' ',
    '0',
    '1',
    '3',
    '-1',
    '1.5',
    '1e3',
    '1e999',
    '0x10',
    'NaN',
    'Infinity',
    '-',
    '--',
    '=',
  ],
  ...[
    'auto',
    'f32',
    'f16',
    'int8',
    'wasm',
    'reference',
    'webgpu',
    'int4',
    'int4-asym',
    'palettize4',
  ],
  ...[
    'a',
    '- x',
    'é',
    '\ud800',
    '\u0000',
    '\u001b[2J',
    'x'.repeat(5000),
    '__proto__',
    '{}',
    '../out',
  ],
  ...MODELS,
  '@float/config.json',
];
/** A value that makes sense, by option; threads stay few. */
const SANE: Readonly<Record<string, readonly string[]>> = {
  prompt: ['the hen', ''],
  'max-tokens': ['0', '2', '5'],
  threads: ['1', '2', '0', '-1', 'x', ''],
  device: ['wasm', 'reference', 'auto', 'webgpu'],
  'kv-cache': ['f32', 'f16', 'int8'],
  temperature: ['0', '1', '-1'],
  seed: ['1'],
  scheme: ['int4', 'int8', 'palettize4', 'none'],
  dtype: ['f32', 'f16', 'bf16', 'int8'],
  recipe: ['@float/config.json', '@float/tokenizer.json'],
  text: ['@float/config.json', '@float/tokenizer_config.json', '@float'],
  html: ['page.html', '.'],
  out: ['out', 'out.safetensors', '@float', '@float.safetensors', '.', '..'],
  context: ['1', '2', '16', '1000'],
};

function option({ spec }: Command, name: string, value: string, random: TestRandom): string[] {
  const { value: takes, short } = spec.options[name]!;
  const word = short && oneIn(random, 2) ? `-${short}` : `--${name}`;
  if (takes === undefined) return [word];
  return oneIn(random, 3) ? [`${word}=${value}`] : [word, value];
}

function drawValue(name: string, random: TestRandom): string {
  const sane = SANE[name];
  // Any value for OUT could be a place that must not be written to, any for threads too many.
  const only = ['out', 'threads', 'trace', 'html'].includes(name);
  if (sane && (only || !oneIn(random, 4))) return pick(random, sane);
  return name === 'trace' ? 'trace.json' : pick(random, VALUES);
}

/** A call that may well do something. */
function makeCall(random: TestRandom): Call {
  const command = pick(random, COMMANDS);
  const { operands } = command.spec;
  const words = operands?.most === 0 ? [] : [pick(random, MODELS)];
  if (operands?.most === Number.POSITIVE_INFINITY && oneIn(random, 3))
    words.push(pick(random, MODELS));
  const always: Readonly<Record<string, readonly string[]>> = {
    generate: ['prompt', 'max-tokens', 'threads'],
    compress: ['out'],
    decompress: ['out'],
    eval: ['text', 'threads'],
  };
  for (const name of always[command.spec.name] ?? []) {
    words.push(...option(command, name, drawValue(name, random), random));
  }
  return { command, words };
}

const DAMAGES: readonly Damage<Call>[] = [
  {
    name: 'words: an option more',
    apply({ command, words }, random) {
      const name = pick(random, Object.keys(command.spec.options));
      const at = random.below(words.length + 1);
      words.splice(at, 0, ...option(command, name, drawValue(name, random), random));
    },
  },
  {
    name: 'words: a word more',
    apply({ words }, random) {
      // A path here could become OUT.
      const safe = VALUES.filter((value) => !value.includes('..'));
      words.splice(random.below(words.length + 1), 0, pick(random, safe));
    },
  },
  {
    name: 'words: a word less',
    apply: ({ words }, random) => void words.splice(random.below(Math.max(1, words.length)), 1),
  },
  {
    name: 'words: an unknown option',
    apply({ words }, random) {
      words.push(
        pick(random, ['--nonsense', '--nonsense=1', '-z', '--', '-', '--__proto__', '---']),
      );
    },
  },
];

export const commandWords = subject<Call>({
  kind: 'words',
  share: 1,
  damages: DAMAGES,
  make: makeCall,
  async run({ command, words }) {
    const valid = await scratchModels();
    const terminal: Terminal = {
      write: () => {},
      note: () => {},
      holdSignals: async () => {},
      signal: AbortSignal.timeout(60_000),
    };
    return inScratch(async (folder) => {
      // A copy, as OUT may be one of them.
      const models = join(folder, '..', 'models');
      await cp(valid, models, { recursive: true });
      const given = words.map((word) => word.replace(/^@/, () => join(models, '/')));
      return judge(async () => {
        const options = parseOptions(command.spec, given);
        const asksStdin = options.has('chat') && options.text('prompt') === undefined;
        if (options.has('help')) commandHelp(command.spec);
        else if (!asksStdin) await command.run(options, terminal);
      });
    });
  },
  show: ({ command, words }) => JSON.stringify([command.spec.name, ...words]),
});
