// Nothing for halfbyte: webpack finds its worker and its .wasm files by itself.

const config = {
  mode: 'production',
  entry: './main.js',
  output: { filename: 'main.js', clean: true },
};

// biome-ignore lint/style/noDefaultExport: webpack reads it
export default config;
