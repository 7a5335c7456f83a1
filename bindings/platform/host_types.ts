// Types of the surroundings that the public interface names. Where a program has them, by the DOM's types,
// @types/node or those of its runtime, they are its own; elsewhere what is used of them: halfbyte needs no types
// but ECMAScript's. The build makes the declarations import from here what the sources take from the DOM.

type Host<Name extends string, Otherwise> = typeof globalThis extends {
  [K in Name]: { prototype: infer Instance };
}
  ? Instance
  : Otherwise;

export type AbortSignal = Host<
  'AbortSignal',
  { readonly aborted: boolean; readonly reason: unknown }
>;

export type URL = Host<'URL', { readonly href: string }>;

export type Blob = Host<
  'Blob',
  { readonly size: number; slice(begin: number, end: number): Blob; text(): Promise<string> }
>;

export type Response = Host<
  'Response',
  {
    readonly ok: boolean;
    readonly status: number;
    readonly headers: { get(name: string): string | null };
    arrayBuffer(): Promise<ArrayBuffer>;
  }
>;

export type BufferSource = ArrayBufferView | ArrayBuffer;

export declare namespace WebAssembly {
  type Module = typeof globalThis extends {
    WebAssembly: { Module: { prototype: infer Instance } };
  }
    ? Instance
    : object;
}
