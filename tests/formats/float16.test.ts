import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../bindings/formats/float16.js';

test('every float16 and bfloat16 survives decoding and encoding', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const half = f16ToF32(bits);
    if (Number.isNaN(half)) assert.ok((bits & 0x7fff) > 0x7c00);
    else if (f32ToF16(half) !== bits) assert.unreachable(`f16 ${bits}: ${half}`);
    const brain = bf16ToF32(bits);
    if (Number.isNaN(brain)) assert.ok((bits & 0x7fff) > 0x7f80);
    else if (f32ToBf16(brain) !== bits) assert.unreachable(`bf16 ${bits}: ${brain}`);
  }
});

test('known values', () => {
  assert.is(f16ToF32(0x3c00), 1);
  assert.is(f16ToF32(0xc000), -2);
  assert.is(f16ToF32(0x7bff), 65504);
  assert.is(f16ToF32(0x0001), 2 ** -24);
  assert.is(f16ToF32(0x7c00), Number.POSITIVE_INFINITY);
  assert.is(bf16ToF32(0x3f80), 1);
  assert.is(bf16ToF32(0xff80), Number.NEGATIVE_INFINITY);
});

test('halfway goes to the even neighbour, in normals and subnormals', () => {
  const between = (a: number, b: number) => (f16ToF32(a) + f16ToF32(b)) / 2;
  for (const bits of [0x0000, 0x0001, 0x0002, 0x03ff, 0x0400, 0x3c00, 0x3c01, 0x7bfe]) {
    const middle = between(bits, bits + 1);
    assert.is(f32ToF16(middle), bits + (bits & 1), `above ${bits}`);
    assert.is(f32ToF16(-middle), 0x8000 | (bits + (bits & 1)), `below -${bits}`);
    assert.is(f32ToF16(Math.fround(middle * (1 + 2 ** -20))), bits + 1);
    assert.is(f32ToF16(Math.fround(middle * (1 - 2 ** -20))), bits);
  }
  assert.is(f32ToBf16(1 + 2 ** -8), 0x3f80);
  assert.is(f32ToBf16(1 + 3 * 2 ** -8), 0x3f82);
});

test('what is too large becomes infinite, NaN stays NaN', () => {
  assert.is(f32ToF16(65519.996), 0x7bff);
  assert.is(f32ToF16(65520), 0x7c00);
  assert.is(f32ToF16(-1e30), 0xfc00);
  assert.is(f32ToBf16(3.4e38), 0x7f80);
  assert.ok(Number.isNaN(f16ToF32(f32ToF16(Number.NaN))));
  assert.ok(Number.isNaN(bf16ToF32(f32ToBf16(Number.NaN))));
});

test.run();
