// Nothing for halfbyte: webpack finds its worker and its .wasm files by itself.

import { fileURLToPath } from 'node:url';

const config = {
  mode: 'production',
  context: fileURLToPath(new URL('.', import.meta.url)),
  entry: './main.js',
  output: {
    path: fileURLToPath(new URL('dist', import.meta.url)),
    filename: 'main.js',
    clean: true,
  },
};

// biome-ignore lint/style/noDefaultExport: webpack reads it
export default config;
