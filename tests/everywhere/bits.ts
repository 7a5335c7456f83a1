// Promise 1: one SHA-256 over logits and sampled tokens, whatever build, thread count or chunking ran them.

import { type KvType, loadModel, type Model, type Session, type Simd } from 'halfbyte';
import * as assert from 'uvu/assert';
import { test } from './support/collect.js';
import { findings } from './support/findings.js';
import { bytesOf, PROMPT, sha256 } from './support/fixtures.js';
import { modelBytes, SCHEMES } from './support/models.js';

/** Of schemes that do not have the usual one. */
const KV: Readonly<Record<string, KvType>> = { float: 'f32', 'int4-asym': 'int8' };
const IN_EVERY_WAY: readonly string[] = [
  'float',
  'int8',
  'int4',
  'int4-asym',
  'palettize4',
  'int3',
];
const FOLLOWING = [11, 250, 77];
const CHUNKS = [PROMPT.length, 64, 7];

for (const scheme of SCHEMES) {
  test(`the same bits in every build and thread count: ${scheme}`, async () => {
    const builds: Simd[] = ['baseline'];
    if (findings.features.simd === 'relaxed') builds.push('relaxed');
    for (const simd of builds) {
      const most = findings.features.threads ? 2 : 1;
      // Of the many schemes some are run in every way; the others in the way that differs most between builds.
      const whole = IN_EVERY_WAY.includes(scheme);
      for (const threads of whole && most > 1 ? [1, most] : [simd === 'baseline' ? 1 : most]) {
        const kvCache = KV[scheme] ?? 'f16';
        const model = await loadModel(modelBytes(scheme), { simd, threads, kvCache });
        assert.is(model.runtime.simd, simd);
        assert.is(model.runtime.threads, threads);
        await compareAll(model, scheme, `${simd}, threads ${threads}`, whole ? CHUNKS : [7]);
        await model.dispose();
      }
    }
  });
}

/** What was hashed first, to say where another differs. */
const firsts = new Map<string, Uint8Array<ArrayBuffer>>();

/** The float32 values that differ: how many, and the first of them. */
function difference(actual: Uint8Array<ArrayBuffer>, expected: Uint8Array<ArrayBuffer>): string {
  const a = new Float32Array(actual.buffer);
  const b = new Float32Array(expected.buffer);
  const at = Array.from(b.keys()).filter((i) => !Object.is(a[i], b[i]));
  const [i] = at;
  if (i === undefined && a.length === b.length) return '';
  return `${at.length} of ${a.length} and ${b.length} values, ${i}: ${a[i ?? 0]}, first ${b[i ?? 0]}`;
}

async function compareAll(
  model: Model,
  scheme: string,
  name: string,
  chunks: readonly number[],
): Promise<void> {
  const compare = async (variant: string, session: Session) => {
    const parts: Float32Array[] = [];
    for (const token of FOLLOWING) parts.push(await session.decode(token));
    const sampling = { temperature: 0.9, topK: 40, topP: 0.95, seed: 7, maxTokens: 12 };
    const { tokens } = await model.complete([...session.tokens], { ...sampling, session });
    const bytes = bytesOf([...parts, Float32Array.from(tokens)]);
    const hash = await sha256(bytes);
    const first = firsts.get(scheme) ?? bytes;
    firsts.set(scheme, first);
    findings.hashes[scheme] ??= hash;
    assert.is(difference(bytes, first), '', `${name}, ${variant}`);
    assert.is(hash, findings.hashes[scheme], `${name}, ${variant}: hash of equal bytes`);
    await session.dispose();
  };
  for (const chunk of chunks) {
    const session = await model.createSession();
    await prefill(session, PROMPT, chunk);
    if (chunk === 64) {
      await compare('fork', await session.fork());
      const replayed = await session.fork();
      await replayed.prefill([9, 9, 9]);
      await replayed.truncate(100);
      await prefill(replayed, PROMPT.slice(100), 13);
      await compare('truncate and replay', replayed);
    }
    await compare(`chunks of ${chunk}`, session);
  }
}

async function prefill(session: Session, tokens: readonly number[], chunk: number): Promise<void> {
  for (let i = 0; i < tokens.length; i += chunk) await session.prefill(tokens.slice(i, i + chunk));
}
