// A .wasm file imported where the platform compiles it ahead of time.

declare module '*.wasm' {
  const module: WebAssembly.Module;
  // biome-ignore lint/style/noDefaultExport: the platform exports it so
  export default module;
}

declare module '*.wasm?module' {
  const module: WebAssembly.Module;
  // biome-ignore lint/style/noDefaultExport: the platform exports it so
  export default module;
}
