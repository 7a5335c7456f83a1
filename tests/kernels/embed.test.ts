import { test } from 'uvu';
import { CODE_EMBED } from '../../assembly/op_layout.js';
import { embed } from '../../bindings/executor/reference.js';
import { codecOf } from '../../bindings/formats/codecs.js';
import { takesFloats, withOutliers } from '../../bindings/formats/format.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { assertClose } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { caseOf, FORMATS, storedWeight, wholeRows } from '../support/formats.js';
import { runOp } from '../support/ops.js';
import { packIn, partBytesOf } from '../support/packed_weight.js';
import { TestRandom } from '../support/random.js';

const VOCAB = 37;
const TOKENS = [36, 0, 7, 8, 7, 20];
const ROWS = TOKENS.map((token) => ({ token }));

for (const format of FORMATS) {
  for (const k of format.float ? [3, 32, 172] : [32, 172]) {
    test(`embed ${caseOf(format)}, k=${k}`, async () => {
      const vocab = wholeRows(format, VOCAB);
      const weight = storedWeight(format, vocab, k, new TestRandom(k));
      const bytes = await partBytesOf(weight);
      const [out] = runOp('embed', ROWS.length, (core) => {
        const out = core.output(ROWS.length * k * 4);
        const fields = { out, weight: packIn(core, weight, bytes), k };
        return { code: CODE_EMBED, fields, rows: ROWS, outputs: [out] };
      });
      const values = await readRows(weight, 0, vocab);
      const expected = embed(TOKENS, values, k);
      if (format.outliers) {
        // Both parts are rounded before they meet.
        const dense = codecOf(format).decode(withOutliers(format, 0), bytes, 0, vocab, k);
        const parts = embed(TOKENS, dense, k).map(
          (part, i) => Math.abs(part) + Math.abs(expected[i]!),
        );
        assertClose(asF32(out!), expected, 'embedLinear', 'embed', parts);
        return;
      }
      if (!format.bias || takesFloats(format)) {
        // A value, or one product, rounded once; or as the codec rounds.
        assertClose(asF32(out!), expected.map(Math.fround), 'exact', 'embed');
        return;
      }
      // Product and bias may cancel: each is rounded before they meet.
      const zeros = { ...bytes, codes: new Uint8Array(bytes.codes!.length) };
      const biases = embed(TOKENS, codecOf(format).decode(format, zeros, 0, vocab, k), k);
      const sizes = expected.map((e, i) => Math.abs(e - biases[i]!) + Math.abs(e));
      assertClose(asF32(out!), expected, 'embedLinear', 'embed', sizes);
    });
  }
}

test.run();
