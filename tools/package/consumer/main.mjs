// A program of a user, as a module: node main.mjs TINY_MODEL FLOAT_MODEL. Prints what each way of the package
// generates.

import { loadModel } from 'halfbyte';
import { compressModel } from 'halfbyte/compress';
import * as inline from 'halfbyte/inline';
import { generateAll } from './generate_all.cjs';

await generateAll({
  loadModel,
  compressModel,
  inline,
  worker: new URL(import.meta.resolve('halfbyte/worker')),
  core: new URL(import.meta.resolve('halfbyte/core.simd.wasm')),
});
