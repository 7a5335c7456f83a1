// A stored weight in the memory of a core under test, packed by the core itself.

import * as assert from 'uvu/assert';
import { PACKED_BYTES, PACKED_FIRST } from '../../assembly/op_layout.js';
import { packOutliers } from '../../bindings/executor/wasm/pack_outliers.js';
import {
  PACKED_ROLES,
  packedBytes,
  packedHeader,
  tableBytes,
} from '../../bindings/executor/wasm/packing.js';
import { decodeOutliers } from '../../bindings/formats/outliers.js';
import { type Role, rowBytes } from '../../bindings/formats/parts.js';
import { matrixShape, type Weight } from '../../bindings/model/weight.js';
import type { Block, Core } from './core.js';
import { withHeader } from './ops.js';

/** Bytes of each part of a weight that lies in memory. */
export async function partBytesOf(weight: Weight): Promise<Partial<Record<Role, Uint8Array>>> {
  const all: Partial<Record<Role, Uint8Array>> = {};
  for (const { role, source, offset, bytes } of weight.parts) {
    const part = new Uint8Array(bytes);
    await source.read(offset, part);
    all[role] = part;
  }
  return all;
}

/** Packs all rows at once, as loading does. @returns the packed matrix, header included */
export function packIn(
  core: Core,
  weight: Weight,
  bytes: Readonly<Partial<Record<Role, Uint8Array>>>,
): Block {
  const { format } = weight;
  const { n, k } = matrixShape(weight);
  const first = packedHeader(format, n, k).get(PACKED_FIRST)!;
  const behind = new Uint8Array(packedBytes(format, n, k) - PACKED_BYTES).fill(0xff);
  if (bytes.lut && first > PACKED_BYTES) {
    const size = rowBytes(weight.parts.find(({ role }) => role === 'lut')!);
    for (let i = 0; i * size < bytes.lut.length; i++) {
      const table = bytes.lut.subarray(i * size, (i + 1) * size);
      behind.set(table, i * tableBytes(format.bits, format.lut!));
    }
  }
  const whole = withHeader(format, [n, k], behind);
  if (format.outliers) {
    packOutliers({ words: new Uint32Array(whole.buffer) }, 0, n, decodeOutliers(bytes));
  }
  const packed = core.input(whole);
  const at = (role: Role) => (bytes[role] ? core.input(bytes[role]).address : 0);
  const parts = PACKED_ROLES.map(at);
  const panels = packed.address + first;
  assert.is(core.call('pack_tensor', packed.address, panels, n, k, ...parts), -1);
  return packed;
}
