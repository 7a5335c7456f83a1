// What `halfbyte/compress` exports: for runtimes with a file system, apart from the rest so that a program
// that only generates does not carry it.

export { type CompressOptions, type CompressResult, compressModel } from './compress.js';
export { parseRecipe, type Recipe } from './recipe.js';
