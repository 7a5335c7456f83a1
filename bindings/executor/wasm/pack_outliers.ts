// Outliers in the core's memory, as kernels/add_outliers.ts draws them.

import { PACKED_OUTLIERS, PANEL } from '../../../assembly/op_layout.js';
import { f32ToF16 } from '../../formats/float16.js';
import type { Outliers } from '../../formats/outliers.js';
import type { MemoryViews } from './core.js';

const OUTLIER_BYTES = 8;

/** Of a matrix of n rows. */
export function outlierBytes(n: number, count: number): number {
  return startsBytes(n) + count * OUTLIER_BYTES;
}

function startsBytes(n: number): number {
  return 4 * (Math.ceil(n / PANEL) + 1);
}

/** Writes the outliers of the packed matrix of n rows at `packed`, whose header says where. */
export function packOutliers(
  { words }: Pick<MemoryViews, 'words'>,
  packed: number,
  n: number,
  { rows, columns, values }: Outliers,
): void {
  const starts = words[(packed + PACKED_OUTLIERS) / 4]!;
  const first = starts + startsBytes(n);
  for (let panel = 0, i = 0; panel <= Math.ceil(n / PANEL); panel++) {
    while (i < rows.length && rows[i]! < panel * PANEL) i++;
    words[(packed + starts) / 4 + panel] = first + i * OUTLIER_BYTES;
  }
  for (let i = 0; i < rows.length; i++) {
    const at = (packed + first + i * OUTLIER_BYTES) / 4;
    words[at] = rows[i]!;
    words[at + 1] = columns[i]! | (f32ToF16(values[i]!) << 16);
  }
}
