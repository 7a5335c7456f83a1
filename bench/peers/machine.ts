// What the numbers were measured on and with.

import { readFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { instantiateCore } from '../../bindings/executor/wasm/core.js';
import { spreadOf } from '../statistics.js';
import { timeCalls } from './op_peer.js';
import { chromiumRefusal, chromiumVersion } from './page_host.js';
import { installedVersion, type Site } from './runtimes.js';

/** Beyond any cache. */
const READ_BYTES = 256 << 20;
const READS = 5;
const PACKAGES = ['node-llama-cpp', 'wllama-2', 'wllama-3', 'onnxruntime-web'];

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Sequential reads by one thread of halfbyte's core. */
  readonly readGbPerSecond: number;
  /** Processes that wanted a core in the minute before: what else ran makes the numbers doubtful. */
  readonly load: number;
  /** Of Node, Chromium (null: missing) and the packages. */
  readonly versions: Readonly<Record<string, string | null>>;
}

export async function describeMachine({ build, packages }: Site): Promise<Machine> {
  const chromium = chromiumRefusal() === null ? await chromiumVersion(packages) : null;
  const installed = PACKAGES.map((name) => [name, installedVersion(packages, name)]);
  const cores = cpus();
  const [load = 0] = loadavg();
  return {
    load,
    cpu: cores[0]?.model ?? 'unknown CPU',
    cores: cores.length,
    memoryBytes: totalmem(),
    readGbPerSecond: await readBandwidth(join(build, 'core.simd.wasm')),
    versions: { Node: process.versions.node, Chromium: chromium, ...Object.fromEntries(installed) },
  };
}

/** One line. */
export function machineText(machine: Machine): string {
  const { cpu, cores, memoryBytes, readGbPerSecond, load, versions } = machine;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version ?? 'missing'}`);
  const memory = `${(memoryBytes / 2 ** 30).toFixed(0)} GiB`;
  const read = `reads of ${readGbPerSecond.toFixed(1)} GB/s on one core`;
  const parts = [cpu, `${cores} cores`, memory, read, `load before ${load.toFixed(1)}`];
  return `${parts.join(', ')}; ${list.join(', ')}`;
}

async function readBandwidth(core: string): Promise<number> {
  const memory = new WebAssembly.Memory({ initial: READ_BYTES / 65536 + 1 });
  const module = await WebAssembly.compile(await readFile(core));
  const { read_all } = instantiateCore(module, memory);
  new Uint8Array(memory.buffer).fill(1);
  const times: number[] = [];
  for (let i = 0; i < READS; i++) {
    times.push(await timeCalls(() => read_all(65536, READ_BYTES), 0));
  }
  return READ_BYTES / 1e6 / spreadOf(times).median;
}
