// Which comparisons the command line asks for.
//
//   --trials N           pairs of each comparison (default: 5)
//   --shapes 135M,1.1B   shapes of the models
//   --threads 1,2
//   --only TEXT          comparisons whose words hold it: `Chromium 135M 1 wllama 2`, `Node matmul 1 onnxruntime-web`
//   --out DIR            where peers.md and peers.json go (default: .cache/peers)

import { parseArgs } from 'node:util';
import { OptionError } from '../../bindings/errors.js';
import { whole } from '../options.js';
import { MODEL_SHAPES, type ModelShape } from '../shapes.js';
import type { Comparison } from './comparison.js';
import { ONNXRUNTIME } from './op_comparison.js';
import { NODE_LLAMA_CPP, type Place, type Runtime, WLLAMA_2, WLLAMA_3 } from './runtimes.js';

const SHAPES = ['135M', '1.1B'];
/** wllama 3 takes minutes a trial at a larger one. */
const WLLAMA_3_SHAPE = '135M';

export interface Plan {
  readonly trials: number;
  readonly models: readonly Comparison[];
  /** Whether single matmuls are compared. */
  readonly ops: boolean;
  readonly out: string;
}

/** @param out the default of --out. @throws OptionError, or TypeError for an option that does not exist */
export function parsePlan(args: readonly string[], out: string): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      trials: { type: 'string', default: '5' },
      shapes: { type: 'string', default: SHAPES.join() },
      threads: { type: 'string', default: '1,2' },
      only: { type: 'string', default: '' },
      out: { type: 'string', default: out },
    },
  });
  const isWanted = (...words: readonly (string | number)[]) =>
    words.join(' ').includes(values.only);
  const shapes = values.shapes.split(',').map(shapeNamed);
  const threads = values.threads.split(',').map((text) => whole('threads', text, 1));
  const models = shapes.flatMap((shape) =>
    threads.flatMap((count) =>
      places(shape).map(([place, all]): Comparison => {
        const peers = all.filter(({ name }) => isWanted(place, shape.name, count, name));
        return { place, shape, threads: count, peers };
      }),
    ),
  );
  const plan = {
    trials: whole('trials', values.trials, 1),
    models: models.filter(({ peers }) => peers.length > 0),
    ops: isWanted('Node', 'matmul', 1, ONNXRUNTIME.name),
    out: values.out,
  };
  if (plan.models.length > 0 || plan.ops) return plan;
  throw new OptionError(`[--only] "${values.only}" is in the words of no comparison`);
}

function places({ name }: ModelShape): [Place, Runtime[]][] {
  return [
    ['Node', [NODE_LLAMA_CPP]],
    ['Chromium', name === WLLAMA_3_SHAPE ? [WLLAMA_2, WLLAMA_3] : [WLLAMA_2]],
  ];
}

function shapeNamed(name: string): ModelShape {
  const shape = MODEL_SHAPES.find((one) => one.name === name);
  if (shape && SHAPES.includes(name)) return shape;
  throw new OptionError(`[--shapes] expected ${SHAPES.join(', ')}, came "${name}"`);
}
