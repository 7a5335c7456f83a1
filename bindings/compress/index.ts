// What `halfbyte/compress` exports: for runtimes with a file system, apart from the rest so that a program
// that only generates does not carry it.

export {
  type CompressOptions,
  type CompressResult,
  compressModel,
  type RecipeChoice,
} from './compress.js';
export { type CompressorChoice, compressor } from './compressor.js';
export { type DecompressOptions, type DecompressResult, decompressModel } from './decompress.js';
export {
  type CompressionPlan,
  type PlannedTensor,
  type PlanOptions,
  planCompression,
} from './plan_compression.js';
export { parseRecipe, type Recipe } from './recipe.js';
export type { RewriteOptions } from './rewrite.js';
