// How the tables of palettes come about, in Core ML's words.

/** Absent: k-means. */
export type TableChoice =
  /** Evenly spaced between the smallest and the largest of the group's weights. */
  | { readonly mode: 'uniform' }
  /** The distinct weights of the group, in ascending order. */
  | { readonly mode: 'unique' }
  /** Entries as they are stored, one table for all. */
  | { readonly mode: 'custom'; readonly table: readonly number[] };

/** NF4: quantiles of a normal distribution, with zero (QLoRA, arXiv 2305.14314, appendix E). */
const NF4 = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
  0.7229568362236023, 1,
];
/** E2M1 (OCP Microscaling Formats 1.0), doubled: integers. The ninth is its negative zero. */
const FP4_DOUBLED = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/** Tables that a recipe may name; what is doubled has integers that int8 activations are multiplied with. */
export const NAMED_TABLES: ReadonlyMap<string, readonly number[]> = new Map([
  ['nf4', NF4],
  ['fp4', FP4_DOUBLED],
]);
