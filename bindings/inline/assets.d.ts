// What tools/build/inline.mjs puts into the files of `halfbyte/inline`.

declare module '#inline-assets' {
  /** Builds of the core, base64. */
  export const CORES: Readonly<Record<import('../platform/platform.js').CoreBuild, string>>;
  /** Script of a worker: in a browser remote/worker.ts, elsewhere executor/wasm/worker.ts, bundled. */
  export const WORKER: string;
}
