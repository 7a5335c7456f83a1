// A program of a user, in CommonJS: node main.cjs TINY_MODEL FLOAT_MODEL. Prints what each way of the package
// generates.

const { loadModel } = require('halfbyte');
const { compressModel } = require('halfbyte/compress');
const inline = require('halfbyte/inline');
const { generateAll } = require('./generate_all.cjs');

generateAll({
  loadModel,
  compressModel,
  inline,
  worker: require.resolve('halfbyte/worker'),
  core: require.resolve('halfbyte/core.simd.wasm'),
}).then(async () => {
  const module = await import('halfbyte');
  if (module.loadModel !== loadModel) throw new Error('import() gives another halfbyte');
});
