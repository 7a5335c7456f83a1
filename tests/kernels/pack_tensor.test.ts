// pack_tensor, which loading uses, against the layouts as the kernel files draw them (support/packed.ts).

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PACKED_ROLES, packedBytes } from '../../bindings/executor/wasm/packing.js';
import { packBits } from '../../bindings/formats/bits.js';
import {
  floatFormat,
  paddedK,
  type WeightFormat,
  withScaleType,
} from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import type { Role } from '../../bindings/formats/parts.js';
import { withSteps } from '../../bindings/formats/scales.js';
import { assertSameBytes } from '../support/compare.js';
import { CORES, runKernel } from '../support/core.js';
import { stored } from '../support/floats.js';
import { withHeader } from '../support/ops.js';
import { formatOf, linearWeight, packFloat } from '../support/packed.js';
import { paletteWeight } from '../support/palettes.js';
import { caseName, normals, product, TestRandom } from '../support/random.js';

const FLOAT_TYPES = ['f32', 'f16', 'bf16'] as const;

type Parts = Readonly<Partial<Record<Role, ArrayBufferView>>>;

/** The panels that pack_tensor makes of a weight's parts. */
function pack(format: WeightFormat, parts: Parts, n: number, k: number, bytes: number): Uint8Array {
  const [out] = runKernel('pack_tensor', 1, (core) => {
    const header = core.input(withHeader(format, [n, k], new Uint8Array(0)));
    const to = core.output(bytes);
    const at = (part?: ArrayBufferView) => (part ? core.input(part).address : 0);
    const from = PACKED_ROLES.map((role) => at(parts[role]));
    const call = (begin: number, end: number) => {
      if (begin === end) return;
      const bad = core.call('pack_tensor', header.address, to.address, n, k, ...from);
      assert.is(bad, -1);
    };
    return { outputs: [to], call };
  });
  return out!;
}

for (const one of product({ type: FLOAT_TYPES, n: [1, 8, 13], k: [3, 32] })) {
  test(`pack_tensor float ${caseName(one)}`, () => {
    const { type, n, k } = one;
    const values = normals(n * k, new TestRandom(n * 100 + k));
    const { packed } = packFloat(values, n, k, type);
    const codes = stored(values, type).bits;
    const out = pack(floatFormat(type), { codes }, n, k, packed.byteLength);
    assertSameBytes(out, new Uint8Array(packed.buffer), 'packed');
  });
}

for (const one of product({
  bits: [4, 8] as const,
  scaleType: FLOAT_TYPES,
  hasBias: [false, true],
  n: [1, 8, 13],
  k: [32, 172],
})) {
  test(`pack_tensor linear ${caseName(one)}`, () => {
    const { bits, scaleType, n, k } = one;
    const { rows, packed } = linearWeight(one, new TestRandom(n * 100 + k));
    assert.is(rows.q.length, n * paddedK(k));
    const parts = {
      codes: packBits(rows.q, bits),
      scales: stored(rows.scales, scaleType).bits,
      ...(rows.biases && { biases: stored(rows.biases, scaleType).bits }),
    };
    assertSameBytes(pack(formatOf(one), parts, n, k, packed.byteLength), packed, 'packed');
  });
}

for (const one of product({ scaleType: FLOAT_TYPES, n: [1, 8, 16, 21], k: [32, 172] })) {
  test(`pack_tensor palette ${caseName(one)}`, () => {
    const { scaleType, n, k } = one;
    const { stream, lut, scaleBits, packed } = paletteWeight(one, new TestRandom(n * 100 + k));
    const parts = { codes: stream, scales: scaleBits, lut };
    const format = withScaleType(paletteFormat(4), scaleType);
    assertSameBytes(pack(format, parts, n, k, packed.byteLength), packed, 'packed');
  });
}

test('the first palette row whose scale is not finite is reported', () => {
  const [n, k] = [21, 32];
  for (const core of CORES) {
    core.reset();
    const { stream, lut, packed } = paletteWeight({ n, k, scaleType: 'f32' }, new TestRandom(3));
    const scales = new Float32Array(n).fill(1);
    scales[17] = Number.NaN;
    scales[19] = Number.POSITIVE_INFINITY;
    const to = core.output(packed.byteLength).address;
    const header = core.input(
      withHeader(withScaleType(paletteFormat(4), 'f32'), [n, k], new Uint8Array(0)),
    );
    const from = [stream, scales, new Uint8Array(0), lut].map((part) => core.input(part).address);
    const bad = core.call('pack_tensor', header.address, to, n, k, ...from);
    assert.is(bad, 17, core.name);
  }
});

test('the first row that is not finite is reported', () => {
  const infinities = { f32: 0x7f800000, f16: 0x7c00, bf16: 0x7f80 };
  const nans = { f32: 0xffc00000, f16: 0xfe00, bf16: 0xffc0 };
  const k = 32;
  for (const core of CORES) {
    for (const type of FLOAT_TYPES) {
      for (const bad of [infinities[type], nans[type]]) {
        core.reset();
        const { bits } = stored(new Float32Array(10 * k).fill(1), type);
        const words = type === 'f32' ? new Uint32Array(bits.buffer) : bits;
        words[6 * k + 31] = bad;
        words[9 * k] = bad;
        const to = core.output(16 * k * 4).address;
        const from = core.input(bits).address;
        const header = core.input(
          withHeader(floatFormat(type), [10, k], new Uint8Array(0)),
        ).address;
        const row = core.call('pack_tensor', header, to, 10, k, from);
        assert.is(row, 6, `${core.name} ${type}`);
      }
    }
  }
});

test('the first row with a step that is not finite, or overflows times its counts, is reported', () => {
  const [n, k] = [11, 300];
  const format = withScaleType(withSteps(linearFormat(4, true)), 'f32');
  const [groups, steps] = [10, 2];
  for (const core of CORES) {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 121]) {
      core.reset();
      const scaleSteps = new Float32Array(n * steps).fill(2 ** 120);
      scaleSteps[9 * steps + 1] = bad;
      const to = core.output(packedBytes(format, n, k)).address;
      const header = core.input(withHeader(format, [n, k], new Uint8Array(0))).address;
      const bytes = {
        codes: new Uint8Array(n * 160),
        scales: new Int8Array(n * groups),
        scaleSteps,
      };
      const parts = PACKED_ROLES.map((role) => {
        const part = bytes[role as keyof typeof bytes];
        return part ? core.input(part).address : 0;
      });
      assert.is(core.call('pack_tensor', header, to, n, k, ...parts), 9, `${core.name} ${bad}`);
    }
  }
});

test.run();
