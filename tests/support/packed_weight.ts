// A stored weight in the memory of a core under test, packed by the core itself.

import * as assert from 'uvu/assert';
import { PACKED_BYTES, PANEL } from '../../assembly/op_layout.js';
import { packedBytes } from '../../bindings/executor/wasm/packing.js';
import type { Role } from '../../bindings/formats/parts.js';
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

/** Packs all rows at once. @returns the packed matrix, header included */
export function packIn(
  core: Core,
  weight: Weight,
  bytes: Readonly<Partial<Record<Role, Uint8Array>>>,
): Block {
  const { n, k } = matrixShape(weight);
  const room = new Uint8Array(packedBytes(weight) - PACKED_BYTES).fill(0xff);
  assert.is(room.length % Math.ceil(n / PANEL), 0);
  const packed = core.input(withHeader(weight.format, k, room));
  const at = (role: Role) => (bytes[role] ? core.input(bytes[role]).address : 0);
  const parts = [at('codes'), at('scales'), at('biases'), at('lut')];
  const panels = packed.address + PACKED_BYTES;
  assert.is(core.call('pack_tensor', packed.address, panels, ...parts, n, k), -1);
  return packed;
}
