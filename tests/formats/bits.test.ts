import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packBits, unpackBits } from '../../bindings/formats/bits.js';
import { TestRandom } from '../support/random.js';

test('codes lie least significant bit first', () => {
  const codes = Uint8Array.of(1, 2, 15, 0, 0, 0, 0, 8);
  assert.equal(packBits(codes, 4), Uint8Array.of(0x21, 0x0f, 0, 0x80));
  assert.equal(packBits(Uint8Array.of(1, 255), 8), Uint8Array.of(1, 255));
  // 001 010 111 ... from the right: the third code crosses into the second byte.
  assert.equal(packBits(Uint8Array.of(1, 2, 7, 0, 0, 0, 0, 4), 3), Uint8Array.of(0xd1, 0x01, 0x80));
});

for (let bits = 1; bits <= 8; bits++) {
  test(`${bits} bits: code i is the bits from i * ${bits} on, and unpacking gives it back`, () => {
    const random = new TestRandom(bits);
    const codes = Uint8Array.from({ length: 64 }, () => random.below(2 ** bits));
    const stream = packBits(codes, bits);
    assert.is(stream.length, 8 * bits);
    const all = stream.reduce((sum, byte, i) => sum | (BigInt(byte) << BigInt(8 * i)), 0n);
    const mask = (1n << BigInt(bits)) - 1n;
    for (const [i, code] of codes.entries()) {
      assert.is(Number((all >> BigInt(i * bits)) & mask), code, `code ${i}`);
    }
    assert.equal(unpackBits(stream, bits, 64), codes);
    assert.equal(unpackBits(stream, bits, 7), codes.slice(0, 7));
  });
}

test.run();
