// pack_tensor, which loading uses, against the layouts as the kernel files draw them (support/packed.ts).

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FORMAT_FLOAT, FORMAT_LUT4, FORMAT_Q4, FORMAT_Q8 } from '../../assembly/op_layout.js';
import { GROUP_SIZE, paddedK } from '../../bindings/formats.js';
import { assertSameBytes } from '../support/compare.js';
import { CORES, runKernel } from '../support/core.js';
import { stored } from '../support/floats.js';
import { DTYPES } from '../support/ops.js';
import { linearWeight, packFloat } from '../support/packed.js';
import { paletteWeight } from '../support/palettes.js';
import { caseName, normals, product, TestRandom } from '../support/random.js';

const FLOAT_TYPES = ['f32', 'f16', 'bf16'] as const;

for (const one of product({ type: FLOAT_TYPES, n: [1, 8, 13], k: [3, 32] })) {
  test(`pack_tensor float ${caseName(one)}`, () => {
    const { type, n, k } = one;
    const values = normals(n * k, new TestRandom(n * 100 + k));
    const { packed } = packFloat(values, n, k, type);
    const [out] = runKernel('pack_tensor', 1, (core) => {
      const to = core.output(packed.byteLength);
      const from = core.input(stored(values, type).bits);
      const call = (begin: number, end: number) => {
        if (begin === end) return;
        const addresses = [to.address, from.address, 0, 0];
        assert.is(core.call('pack_tensor', FORMAT_FLOAT, DTYPES[type], ...addresses, n, k), -1);
      };
      return { outputs: [to], call };
    });
    assertSameBytes(out!, new Uint8Array(packed.buffer), 'packed');
  });
}

/** q as one bit stream a row, least significant first. */
function bitStream(q: Uint8Array, bits: 4 | 8): Uint8Array {
  if (bits === 8) return q;
  return Uint8Array.from({ length: q.length / 2 }, (_, i) => q[2 * i]! | (q[2 * i + 1]! << 4));
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
    assert.is(rows.q.length, n * (paddedK(k) / GROUP_SIZE) * GROUP_SIZE);
    const [out] = runKernel('pack_tensor', 1, (core) => {
      const to = core.output(packed.byteLength);
      const values = core.input(bitStream(rows.q, bits));
      const scales = core.input(stored(rows.scales, scaleType).bits);
      const biases = rows.biases && core.input(stored(rows.biases, scaleType).bits);
      const call = (begin: number, end: number) => {
        if (begin === end) return;
        const format = bits === 4 ? FORMAT_Q4 : FORMAT_Q8;
        const addresses = [to.address, values.address, scales.address, biases?.address ?? 0];
        const bad = core.call('pack_tensor', format, DTYPES[scaleType], ...addresses, n, k);
        assert.is(bad, -1);
      };
      return { outputs: [to], call };
    });
    assertSameBytes(out!, packed, 'packed');
  });
}

for (const one of product({ scaleType: FLOAT_TYPES, n: [1, 8, 16, 21], k: [32, 172] })) {
  test(`pack_tensor palette ${caseName(one)}`, () => {
    const { scaleType, n, k } = one;
    const { stream, lut, scaleBits, packed } = paletteWeight(one, new TestRandom(n * 100 + k));
    const [out] = runKernel('pack_tensor', 1, (core) => {
      const to = core.output(packed.byteLength);
      const from = [stream, scaleBits, lut].map((part) => core.input(part).address);
      const call = (begin: number, end: number) => {
        if (begin === end) return;
        const dtype = DTYPES[scaleType];
        assert.is(core.call('pack_tensor', FORMAT_LUT4, dtype, to.address, ...from, n, k), -1);
      };
      return { outputs: [to], call };
    });
    assertSameBytes(out!, packed, 'packed');
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
    const from = [stream, scales, lut].map((part) => core.input(part).address);
    assert.is(core.call('pack_tensor', FORMAT_LUT4, DTYPES.f32, to, ...from, n, k), 17, core.name);
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
        const row = core.call('pack_tensor', FORMAT_FLOAT, DTYPES[type], to, from, 0, 0, 10, k);
        assert.is(row, 6, `${core.name} ${type}`);
      }
    }
  }
});

test.run();
