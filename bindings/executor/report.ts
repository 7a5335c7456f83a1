// What this runtime can do and why not more, for `halfbyte doctor` and for pages.

import { hardwareThreads, memoryInUse, runtimeName } from '#platform';
import { checkOptionNames, type OptionNames } from '../options.js';
import type { CoreBuild, RuntimeName } from '../platform/platform.js';
import type { RuntimeInfo } from './executor.js';
import { relaxedSimdRefusal, threadsRefusal } from './features.js';
import { chooseRuntime } from './wasm/choose_runtime.js';
import { instantiateCore } from './wasm/core.js';
import { buildRefusal, type CoreOptions, checkCoreNames, loadBuild } from './wasm/core_source.js';

export interface RuntimeReport {
  readonly runtime: RuntimeName;
  /** What a model is run by if the options leave it open. */
  readonly choice: RuntimeInfo;
  /** Each build of the core: null if it was started here, else why not. */
  readonly builds: Readonly<Record<CoreBuild, string | null>>;
  /** Processors that the runtime tells of. */
  readonly processors: number;
  readonly memory: {
    /** Bytes that the process takes now; null where nothing tells. */
    readonly inUse: number | null;
    /** Most bytes of one model: weights, arena and KV pages lie in one WebAssembly memory. */
    readonly limit: number;
  };
}

export interface ReportOptions {
  /** The core from elsewhere than the package. */
  readonly core?: CoreOptions | undefined;
}

const REPORT_OPTIONS: OptionNames<ReportOptions> = { core: true };
const BUILDS: readonly CoreBuild[] = ['simd', 'simd.shared', 'relaxed', 'relaxed.shared'];
const WASM_PAGE = 65536;
const MOST_PAGES = 65536;

/** @throws OptionError for a name that there is not */
export function checkReportOptions(options: ReportOptions): void {
  checkOptionNames('report', options, REPORT_OPTIONS);
  if (options.core !== undefined) checkCoreNames(options.core);
}

/** Starts every build of the core that there is. */
export async function reportRuntime(options: ReportOptions = {}): Promise<RuntimeReport> {
  checkReportOptions(options);
  const { core } = options;
  const tried: Record<CoreBuild, string | null> = {
    simd: null,
    'simd.shared': null,
    relaxed: null,
    'relaxed.shared': null,
  };
  for (const build of BUILDS) tried[build] = await tryBuild(build, core);
  return {
    runtime: runtimeName(),
    choice: chooseRuntime({ threads: 'auto', core }),
    builds: tried,
    processors: hardwareThreads(),
    memory: { inUse: memoryInUse(), limit: MOST_PAGES * WASM_PAGE },
  };
}

async function tryBuild(build: CoreBuild, core: CoreOptions | undefined): Promise<string | null> {
  const shared = build.endsWith('.shared');
  const refusal =
    (build.startsWith('relaxed') ? relaxedSimdRefusal() : null) ??
    (shared ? threadsRefusal() : null) ??
    buildRefusal(build, core);
  if (refusal !== null) return refusal;
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared });
    instantiateCore(await loadBuild(build, core), memory);
    return null;
  } catch (error) {
    return `core.${build}: ${error instanceof Error ? error.message : error}`;
  }
}
