// Palettes: w = scale * lut[index]. Here tables of integers by k-means (assembly/fit/palettes.ts); others in
// group_tables.ts and custom_table.ts.

import { ALL, paddedK, type WeightFormat } from '../../formats/format.js';
import { entryBits } from '../../formats/lut_entry.js';
import { fitCustomTable } from './custom_table.js';
import type { Fit, FittedStrip, Floats } from './fit.js';
import type { FitCore } from './fit_core.js';
import { fitGroupTables } from './group_tables.js';
import { DEFAULT_THRESHOLD } from './outliers.js';
import { parsePalette } from './palette_recipe.js';
import type { TableChoice } from './tables.js';

export const paletteFit: Fit = {
  type: 'palettize',
  outlierThreshold: DEFAULT_THRESHOLD,
  parse: parsePalette,
  run,
};

function run(
  weights: Floats,
  k: number,
  format: WeightFormat,
  core: FitCore,
  tables?: TableChoice,
): FittedStrip {
  if (tables?.mode === 'custom') return fitCustomTable(weights, k, format, core, tables.table);
  const { entry, dim } = format.lut!;
  if (!tables && dim === 1 && entryBits(entry) > 0) return fitIntegers(weights, k, format, core);
  return fitGroupTables(weights, k, format, core, tables?.mode ?? 'kmeans');
}

/** Tables are in ascending order. */
function fitIntegers(
  weights: Floats,
  k: number,
  { bits, lut, scale }: WeightFormat,
  core: FitCore,
): FittedStrip {
  const rows = weights.length / k;
  const tableRows = lut!.rows === ALL ? rows : lut!.rows;
  const perChannel = scale!.rows === 1;
  const most = 2 ** (entryBits(lut!.entry) - 1) - 1;
  const stride = paddedK(k);
  const tables = Math.ceil(rows / tableRows);
  const count = perChannel ? rows : tables;
  const w = core.begin(weights);
  const codes = core.place(rows * stride);
  const scales = core.place(4 * count);
  const entries = core.place(tables << bits);
  const scratch = core.place(core.run.palette_scratch_bytes(Math.min(tableRows, rows)));
  const shape = [w, rows, k, tableRows, bits, most, Number(perChannel)] as const;
  const inHalf = core.run.fit_palettes(...shape, codes, stride, scales, entries, scratch);
  return {
    codes: core.bytes(codes, rows * stride),
    scales: core.floats(scales, count),
    lut: new Int8Array(core.bytes(entries, tables << bits).buffer),
    inHalf: inHalf === 1,
  };
}
