// What every platform provides. `#platform` is one of node.ts (Deno and Bun too), browser.ts, edge.ts and
// edge_light.ts, chosen by the conditions of package.json when a program is resolved, not while it runs.

import type { ByteSource } from './byte_source.js';

/** A build of the core: SIMD level, and whether its memory can be shared by threads. */
export type CoreBuild = 'simd' | 'simd.shared' | 'relaxed' | 'relaxed.shared';

/** What a location means here. */
export type Place = { readonly path: string } | { readonly url: URL };

/** A runtime and its version, `unknown` where it does not tell. */
export interface RuntimeName {
  readonly name: string;
  readonly version: string;
}

export interface WorkerHandle {
  /** Resolves when the worker is gone; one that does not leave by itself is terminated. */
  end(): Promise<void>;
}

/** Where a worker's script lies, or what starts it; null: the package's own. */
export type WorkerStarter = string | URL | (() => unknown) | null;

export interface Platform {
  openFile(path: string): Promise<ByteSource>;
  /** `fetch` keeps what came, but nothing that was asked for under a condition. */
  readonly FETCH_CACHES: boolean;
  fileKind(path: string): Promise<'file' | 'directory' | null>;
  /** @throws OptionError for a text that names nothing here */
  locate(location: string | URL): Place;
  /** Builds of the core that come with the package here. */
  readonly CORE_BUILDS: readonly CoreBuild[];
  loadCore(name: string): Promise<WebAssembly.Module>;
  hardwareThreads(): number;
  /** Why relaxed SIMD, or threads, must not be used although they may seem to work; null: no objection. */
  relaxedSimdVeto(): string | null;
  threadsVeto(): string | null;
  /** Why steps cannot be timed here; null: no objection. */
  traceVeto(): string | null;
  spawnWorker(
    start: unknown,
    onFailure: (error: unknown) => void,
    starter?: WorkerStarter,
  ): WorkerHandle;
  runtimeName(): RuntimeName;
  /** Bytes of memory the process or page takes now; null where nothing tells. */
  memoryInUse(): number | null;
}
