// Reads what tests need of a GGUF, from the format's description alone.

const TYPE_F32 = 0;
const TYPE_Q4_0 = 2;

export interface GgufFile {
  readonly values: ReadonlyMap<string, unknown>;
  /** Shape outermost first, weights row-major. */
  readonly tensors: ReadonlyMap<string, { readonly shape: number[]; readonly w: Float64Array }>;
}

export function readGguf(bytes: Uint8Array): GgufFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (count: number) => {
    at += count;
    return at - count;
  };
  const u32 = () => view.getUint32(take(4), true);
  const u64 = () => Number(view.getBigUint64(take(8), true));
  const text = () => {
    const length = u64();
    return new TextDecoder().decode(bytes.subarray(take(length), at));
  };
  const value = (type: number): unknown => {
    if (type === 4) return u32();
    if (type === 5) return view.getInt32(take(4), true);
    if (type === 6) return view.getFloat32(take(4), true);
    if (type === 7) return view.getUint8(take(1)) === 1;
    if (type === 8) return text();
    if (type !== 9) throw new Error(`value type ${type}`);
    const element = u32();
    return Array.from({ length: u64() }, () => value(element));
  };

  if (u32() !== 0x46554747 || u32() !== 3) throw new Error('not a GGUF of version 3');
  const tensorCount = u64();
  const valueCount = u64();
  const values = new Map(Array.from({ length: valueCount }, () => [text(), value(u32())]));
  const infos = Array.from({ length: tensorCount }, () => {
    const name = text();
    const shape = Array.from({ length: u32() }, u64).reverse();
    return { name, shape, type: u32(), offset: u64() };
  });
  const start = Math.ceil(at / 32) * 32;
  const tensors = new Map(
    infos.map(({ name, shape, type, offset }) => {
      if (offset % 32 !== 0) throw new Error(`${name} begins at ${offset}`);
      const count = shape.reduce((product, size) => product * size, 1);
      return [name, { shape, w: readWeights(view, start + offset, type, count) }];
    }),
  );
  return { values, tensors };
}

function readWeights(view: DataView, at: number, type: number, count: number): Float64Array {
  const w = new Float64Array(count);
  if (type === TYPE_F32) return w.map((_, i) => view.getFloat32(at + 4 * i, true));
  if (type !== TYPE_Q4_0) throw new Error(`tensor type ${type}`);
  for (let block = 0; block < count / 32; block++) {
    const scale = half(view.getUint16(at + 18 * block, true));
    for (let j = 0; j < 16; j++) {
      const byte = view.getUint8(at + 18 * block + 2 + j);
      w[32 * block + j] = ((byte & 15) - 8) * scale;
      w[32 * block + j + 16] = ((byte >> 4) - 8) * scale;
    }
  }
  return w;
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const size = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}
