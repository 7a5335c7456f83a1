// A Cloudflare Worker that tells stories: `GET /?prompt=Once+upon+a+time` streams text, `GET /memory` says what
// the model takes. `MODEL_URL` names a .safetensors file, which is read by ranges, through the binding `ASSETS`
// if there is one.

import { loadModel, OptionError } from 'halfbyte';

/** An isolate that takes more is ended. */
const ISOLATE_BYTES = 128 * 1024 * 1024;
/** KV pages of all requests under way together. */
const KV_CACHE_BYTES = 16 * 1024 * 1024;
const MOST_TOKENS = 200;
/** Who compresses on the way would hold the text back until there is enough of it. */
const STREAMED = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Encoding': 'identity' };

/** One model for all requests of the isolate. */
let loading = null;

function modelOf(env) {
  loading ??= load(env).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load({ ASSETS, MODEL_URL }) {
  const model = await loadModel(MODEL_URL, {
    kvCacheBytes: KV_CACHE_BYTES,
    ...(ASSETS && { fetch: (url, init) => ASSETS.fetch(url, init) }),
  });
  const bytes = mostBytes(model);
  if (bytes < ISOLATE_BYTES) return model;
  await model.dispose();
  throw new Error(`the model takes ${bytes} bytes, an isolate has ${ISOLATE_BYTES}`);
}

function mostBytes({ memory }) {
  return memory.weights + memory.arena + KV_CACHE_BYTES;
}

async function tell(story, writable) {
  const encoder = new TextEncoder();
  const writer = writable.getWriter();
  try {
    for await (const { text } of story) await writer.write(encoder.encode(text));
    await writer.close();
  } catch (error) {
    // The reader has left, or learns by this that the text is not whole.
    await writer.abort(error).catch(() => {});
  }
}

const worker = {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    const model = await modelOf(env);
    if (pathname === '/memory') {
      const { memory, kvBytesInUse, runtime } = model;
      return Response.json({ ...memory, kvBytesInUse, mostBytes: mostBytes(model), runtime });
    }
    const prompt = searchParams.get('prompt') ?? 'Once upon a time';
    const maxTokens = Math.min(Number(searchParams.get('tokens') ?? 100), MOST_TOKENS);
    try {
      const story = model.generate(prompt, { maxTokens, temperature: 0.8, seed: 7 });
      const { readable, writable } = new TransformStream();
      // Runs on when the reader leaves, until the story has given its memory back.
      context.waitUntil(tell(story, writable));
      return new Response(readable, { headers: STREAMED });
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      return new Response(`${error.message}\n`, { status: 400 });
    }
  },
};

// biome-ignore lint/style/noDefaultExport: workerd takes the handlers from it
export default worker;
