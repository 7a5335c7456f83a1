// The bytes that rows of a weight need of each of its parts. Of a sparse weight, `starts` says where a row's
// non-zeros lie, and has to agree with the mask.

import { FormatError } from '../errors.js';
import { bytesOfRows, type PartBytes, type Role } from '../formats/parts.js';
import { rowStarts } from '../formats/sparse.js';
import { matrixShape, type Part, partOf, type Weight } from './weight.js';

/**
 * Reads what rows [begin, end) need, part by part.
 * @param place where bytes [from, to) of a part go; for a stream no more than all weights of the rows would take
 * @param parts those that are read
 * @throws FormatError for a sparse weight whose mask and rows disagree
 */
export async function readRowBytes(
  weight: Weight,
  begin: number,
  end: number,
  place: (part: Part, from: number, to: number) => Uint8Array,
  signal?: AbortSignal,
  parts: readonly Part[] = weight.parts,
): Promise<PartBytes> {
  const bytes: Partial<Record<Role, Uint8Array>> = {};
  const read = async (part: Part, [from, to]: readonly [number, number]) => {
    const into = place(part, from, to);
    await part.source.read(part.offset + from, into, signal);
    bytes[part.role] = into;
  };
  const rest: Part[] = [];
  for (const part of parts) {
    if (part.streamBits) rest.push(part);
    else await read(part, bytesOfRows(part, begin, end));
  }
  if (bytes.starts && bytes.mask) checkRows(weight, begin, rowStarts(bytes.starts), bytes.mask);
  for (const part of rest) await read(part, bytesOfStream(part, rowStarts(bytes.starts!)));
  return bytes;
}

/** The bytes that hold the elements from the first row's start to the last one's end. */
function bytesOfStream({ streamBits = 8 }: Part, starts: Uint32Array): [from: number, to: number] {
  const [first, last] = [starts[0]!, starts.at(-1)!];
  return [Math.floor((first * streamBits) / 8), Math.ceil((last * streamBits) / 8)];
}

/** Every row has as many non-zeros as its mask has bits, none of them behind k, and all together are the stream. */
function checkRows(weight: Weight, begin: number, starts: Uint32Array, mask: Uint8Array): void {
  const { n, k } = matrixShape(weight);
  const wrong = (role: Role, what: string) => {
    const { source, name } = partOf(weight, role);
    return new FormatError(`[${source.name}] ${name}: ${what}`);
  };
  if (begin === 0 && starts[0] !== 0) {
    throw wrong('starts', `expected row 0 at 0, came ${starts[0]}`);
  }
  const rows = starts.length - 1;
  const stride = mask.length / rows;
  for (let i = 0; i < rows; i++) {
    const row = begin + i;
    const [from, to] = [starts[i]!, starts[i + 1]!];
    if (to < from) {
      throw wrong('starts', `expected ascending starts, row ${row} has ${from}, the next ${to}`);
    }
    const bits = bitCount(mask.subarray(i * stride, (i + 1) * stride), k);
    if (bits < 0) throw wrong('mask', `row ${row} has bits behind its ${k} weights`);
    if (bits === to - from) continue;
    throw wrong('mask', `row ${row} has ${bits} bits set, but ${to - from} non-zeros`);
  }
  const codes = partOf(weight, 'codes');
  const last = starts[rows]!;
  const bytes = Math.ceil((last * codes.streamBits!) / 8);
  if (begin + rows === n ? bytes === codes.bytes : bytes <= codes.bytes) return;
  const came = `${codes.name} has ${codes.bytes}`;
  throw wrong('starts', `${last} non-zeros up to row ${begin + rows} take ${bytes} bytes, ${came}`);
}

/** Bits that are set; -1 if one of them lies behind k. */
function bitCount(mask: Uint8Array, k: number): number {
  let count = 0;
  for (let i = 0; i < mask.length; i++) {
    let byte = mask[i]!;
    if (8 * i + 8 > k && byte >> Math.max(0, k - 8 * i) !== 0) return -1;
    byte -= (byte >> 1) & 0x55;
    byte = (byte & 0x33) + ((byte >> 2) & 0x33);
    count += (byte + (byte >> 4)) & 15;
  }
  return count;
}
