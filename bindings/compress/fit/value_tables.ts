// Tables of the modes uniform and unique, as coremltools makes them from float32 weights.

/** Entries from the smallest to the largest value at equal distances. */
export function uniformTable(values: Float64Array, count: number): Float64Array {
  const { low, step } = range(values, count);
  return Float64Array.from({ length: count }, (_, i) => i * step + low);
}

/** Index of the entry nearest to each value, in float32: ties go to the even index. */
export function uniformCodes(values: Float64Array, count: number): Uint8Array {
  const { low, width } = range(values, count);
  if (width === 0) return new Uint8Array(values.length);
  return Uint8Array.from(values, (value) => {
    const part = Math.fround(Math.fround(value - low) / width);
    return roundToEven(Math.fround(part * (count - 1)));
  });
}

function range(values: Float64Array, count: number) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const width = Math.fround(high - low);
  return { low, width, step: Math.fround(width / (count - 1)) };
}

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** The different values in ascending order, then zeros; or that they are too many. */
export function uniqueTable(values: Float64Array, count: number): Float64Array | string {
  const different = Float64Array.from(new Set(values)).sort();
  if (different.length > count) {
    const room = `2^${Math.log2(count)} = ${count}`;
    return `${different.length} different values share a table, mode unique has room for ${room}`;
  }
  const table = new Float64Array(count);
  table.set(different);
  return table;
}
