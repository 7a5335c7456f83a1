// Compiled modules that come from outside.

/**
 * `value` if it is a compiled module, else null. One that another realm compiled, as hosts of edge functions do,
 * is made one of this realm's: `instanceof` decides in the loader.
 */
export function asWasmModule(value: unknown): WebAssembly.Module | null {
  if (value instanceof WebAssembly.Module) return value;
  if (Object.prototype.toString.call(value) !== '[object WebAssembly.Module]') return null;
  return Object.setPrototypeOf(value, WebAssembly.Module.prototype);
}
