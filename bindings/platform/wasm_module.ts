// Compiled modules that come from outside, and compiling them.

import { UnsupportedError } from '../errors.js';

/**
 * `value` if it is a compiled module, else null. One that another realm compiled, as hosts of edge functions do,
 * is made one of this realm's: `instanceof` decides in the loader.
 */
export function asWasmModule(value: unknown): WebAssembly.Module | null {
  if (value instanceof WebAssembly.Module) return value;
  if (Object.prototype.toString.call(value) !== '[object WebAssembly.Module]') return null;
  return Object.setPrototypeOf(value, WebAssembly.Module.prototype);
}

/** A module of nothing. */
const LEAST_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/**
 * Compiles a core.
 * @param refused what to throw if it is no WebAssembly
 * @throws UnsupportedError where nothing may be compiled
 */
export async function compileWasm(
  source: BufferSource | Response,
  refused: (cause: unknown) => Error,
): Promise<WebAssembly.Module> {
  try {
    return await (isResponse(source)
      ? WebAssembly.compileStreaming(source)
      : WebAssembly.compile(source));
  } catch (cause) {
    throw (await compilingRefused()) ?? refused(cause);
  }
}

function isResponse(source: BufferSource | Response): source is Response {
  return 'headers' in source;
}

async function compilingRefused(): Promise<UnsupportedError | null> {
  try {
    await WebAssembly.compile(LEAST_MODULE);
    return null;
  } catch (cause) {
    return new UnsupportedError(
      "[core] no WebAssembly may be compiled here: a page's content security policy must have script-src " +
        "'wasm-unsafe-eval'; elsewhere give the option core.wasm compiled modules",
      { cause },
    );
  }
}
