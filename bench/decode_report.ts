// What the benchmark of whole models found, as tables.

import type { Sizes } from './decode_rounds.js';
import { type Spread, spreadText } from './statistics.js';
import { markdownTable } from './table.js';

export interface Row {
  readonly model: string;
  readonly label: string;
  readonly prefillTokensPerSecond: Spread;
  readonly decodeTokensPerSecond: Spread;
  readonly firstTokenMs: Spread;
  readonly loadMs: Spread;
  /** Load time over the time to read the file's bytes, load by load. */
  readonly loadOverRead: Spread;
  readonly peakMemoryBytes: number;
}

/** Speeds of the second contestant over the first. */
export interface Ratio {
  readonly model: string;
  readonly label: string;
  readonly prefill: Spread;
  readonly decode: Spread;
  readonly load: Spread;
}

export interface PoolStart {
  readonly threads: number;
  /** The first start in a process finds nothing warm. */
  readonly firstMs: number;
  readonly laterMs: Spread;
}

export interface DecodeReport extends Sizes {
  readonly cpu: string;
  readonly node: string;
  readonly simd: string;
  readonly busy: boolean;
  readonly poolStart: PoolStart | null;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
}

export function printReport(report: DecodeReport): void {
  const { cpu, node, simd, busy, poolStart, rows, ratios } = report;
  const other = busy ? ', the other core kept busy' : '';
  console.log(`${node}, ${simd} SIMD, ${cpu}${other}`);
  console.log(
    `prompt ${report.promptTokens}, decode ${report.decodeTokens}, after ${report.contextTokens} tokens; ` +
      `median (quartiles) of ${report.trials} trials\n`,
  );
  const heads = 'model,run,prefill tok/s:,decode tok/s:,first token ms:,load ms:,load over read:';
  console.log(
    markdownTable(
      [...heads.split(','), 'peak MB:'],
      rows.map((row) => [
        row.model,
        row.label,
        spreadText(row.prefillTokensPerSecond, 1),
        spreadText(row.decodeTokensPerSecond, 1),
        spreadText(row.firstTokenMs, 1),
        spreadText(row.loadMs, 0),
        spreadText(row.loadOverRead, 2),
        (row.peakMemoryBytes / 1e6).toFixed(0),
      ]),
    ),
  );
  if (ratios.length > 0) {
    const cells = ratios.map(({ model, label, prefill, decode, load }) => {
      return [model, label, ...[prefill, decode, load].map((spread) => spreadText(spread, 3))];
    });
    const names = ['model', 'speed of', 'prefill:', 'decode:', 'load:'];
    console.log(`\n${markdownTable(names, cells)}`);
  }
  if (poolStart) {
    const { threads, firstMs, laterMs } = poolStart;
    const later = `then ${spreadText(laterMs, 1)} ms`;
    console.log(
      `\npool start, ${threads} threads: ${firstMs.toFixed(1)} ms in a new process, ${later}`,
    );
  }
}
