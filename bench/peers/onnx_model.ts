// An ONNX model of one MatMulNBits, as protobuf: a field is varint(number << 3 | kind), then a varint (kind 0)
// or a length and bytes (kind 2). Numbers of the fields are those of onnx.proto3.

const TYPE = { float: 1, uint8: 2 };
const ATTRIBUTE_INT = 2;
const IR_VERSION = 8;
const OPSET = 17;
const DOMAIN = 'com.microsoft';

type Bytes = Uint8Array;

/**
 * y [m, n] = x [m, k] W, with w = scale * (level - 8), which are initializers.
 * @param levels [n, k / 2] bytes, the level of even k in the low half
 * @param scales [n, k / block]
 */
export function matMulNBits(
  n: number,
  k: number,
  block: number,
  levels: Uint8Array,
  scales: Float32Array,
): Uint8Array {
  const attributes = { K: k, N: n, bits: 4, block_size: block };
  const node = join(
    ...['x', 'levels', 'scales'].map((input) => field(1, input)),
    field(2, 'y'),
    field(4, 'MatMulNBits'),
    ...Object.entries(attributes).map(([name, value]) =>
      field(5, join(field(1, name), field(3, value), field(20, ATTRIBUTE_INT))),
    ),
    field(7, DOMAIN),
  );
  const scaleBytes = new Uint8Array(scales.buffer, scales.byteOffset, scales.byteLength);
  const graph = join(
    field(1, node),
    field(2, 'one'),
    field(5, tensor('levels', TYPE.uint8, [n, k / block, block / 2], levels)),
    field(5, tensor('scales', TYPE.float, [scales.length], scaleBytes)),
    field(11, floats('x', ['m', k])),
    field(12, floats('y', ['m', n])),
  );
  const opsets = [
    ['', OPSET],
    [DOMAIN, 1],
  ] as const;
  return join(
    field(1, IR_VERSION),
    field(7, graph),
    ...opsets.map(([domain, version]) => field(8, join(field(1, domain), field(2, version)))),
  );
}

function tensor(name: string, type: number, shape: readonly number[], bytes: Bytes): Bytes {
  const sizes = shape.map((size) => field(1, size));
  return join(...sizes, field(2, type), field(8, name), field(9, bytes));
}

/** A value of type float32; a size is a number or a name. */
function floats(name: string, shape: readonly (number | string)[]): Bytes {
  const sizes = shape.map((size) => field(1, field(typeof size === 'number' ? 1 : 2, size)));
  const type = join(field(1, TYPE.float), field(2, join(...sizes)));
  return join(field(1, name), field(2, field(1, type)));
}

function field(number: number, value: number | string | Bytes): Bytes {
  if (typeof value === 'number') return join(varint(number << 3), varint(value));
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return join(varint((number << 3) | 2), varint(bytes.length), bytes);
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}

function join(...parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
