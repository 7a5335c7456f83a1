// One int4 matmul in halfbyte and in onnxruntime-web, each in a process of its own, in turns.

import { pathToFileURL } from 'node:url';
import type { Host } from './host.js';
import { K, N } from './op_peer.js';
import { startProcess } from './process_host.js';
import type { Site } from './runtimes.js';

export const ONNXRUNTIME = { name: 'onnxruntime-web', entry: 'dist/ort.node.min.mjs' };
export const ROWS = [1, 128];
const SECONDS = 0.4;
/** Of the outputs' size; activations in int8 leave about 0.004. */
const TOLERANCE = 0.02;

export interface OpRates {
  readonly m: number;
  /** 10^9 multiplications and additions a second, trial by trial. */
  readonly halfbyte: number[];
  readonly onnxruntime: number[];
  /** Size of the difference of both outputs, over that of the outputs. */
  readonly difference: number;
}

export async function compareOps(trials: number, site: Site): Promise<OpRates[]> {
  const at = (file: string) => `${pathToFileURL(site.build).href}/bench/peers/${file}`;
  const entry = `${pathToFileURL(site.packages).href}/${ONNXRUNTIME.name}/${ONNXRUNTIME.entry}`;
  const hosts: Host[] = [];
  try {
    hosts.push(await startProcess(at('op_halfbyte.js'), {}));
    hosts.push(await startProcess(at('op_onnxruntime.js'), { entry }));
    const [ours, theirs] = hosts as [Host, Host];
    const results: OpRates[] = [];
    for (const m of ROWS) {
      const difference = await compareOutputs(ours, theirs, m);
      const rate = async (host: Host) => (2 * m * N * K) / (await milliseconds(host, m)) / 1e6;
      const result: OpRates = { m, halfbyte: [], onnxruntime: [], difference };
      for (let trial = 0; trial < trials; trial++) {
        result.halfbyte.push(await rate(ours));
        result.onnxruntime.push(await rate(theirs));
      }
      results.push(result);
    }
    return results;
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
  }
}

function milliseconds(host: Host, m: number): Promise<number> {
  return host.call<number>('time', m, SECONDS);
}

/** Warms up, too. @throws Error where the outputs are not those of the same matmul */
async function compareOutputs(ours: Host, theirs: Host, m: number): Promise<number> {
  const outputs: number[][] = [];
  for (const host of [ours, theirs]) {
    await milliseconds(host, m);
    outputs.push(await host.call<number[]>('output', m));
  }
  const [a, b] = outputs as [number[], number[]];
  const size = (values: readonly number[]) => Math.sqrt(values.reduce((sum, y) => sum + y * y, 0));
  const difference = size(a.map((y, i) => y - b[i]!)) / size(b);
  if (difference <= TOLERANCE) return difference;
  throw new Error(
    `[${ONNXRUNTIME.name}] m ${m}: outputs differ by ${difference} of their size, ` +
      `at most ${TOLERANCE} expected`,
  );
}
