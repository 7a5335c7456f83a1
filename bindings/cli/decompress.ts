import {
  type DecompressResult,
  decompressModel,
  FLOAT_TYPE_NAMES,
} from '../compress/decompress.js';
import type { Command } from './command.js';
import { COMMON } from './options.js';
import { MODEL_AND_OUT, OUT, outOf, rewriteAndTell } from './rewrite.js';

export const decompress: Command = {
  spec: {
    name: 'decompress',
    summary: 'Write a compressed checkpoint as floats.',
    usage: ['MODEL OUT [--dtype T] [--force] [--json]'],
    operands: MODEL_AND_OUT,
    options: {
      ...OUT,
      dtype: {
        value: 'T',
        help: 'f32, the values that are computed with (default); or f16, bf16: rounded, half the size',
      },
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const out = outOf('decompress', options, 'float');
    const dtype = options.choice('dtype', FLOAT_TYPE_NAMES) ?? 'f32';
    const remark = ({ rounded, parameters }: DecompressResult) =>
      rounded === 0 ? '' : `; ${rounded} of ${parameters} weights rounded to ${dtype}`;
    await rewriteAndTell(
      'decompressing',
      out,
      options,
      terminal,
      (settings) => decompressModel(options.model, out, { dtype, ...settings }),
      remark,
    );
  },
};
