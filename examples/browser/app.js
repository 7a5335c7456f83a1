// Choose a model, write a prompt, read along. The model lives in workers that halfbyte starts; this page only
// shows what they say.

import { loadModel, reportRuntime } from 'halfbyte';

const BUNDLED = 'model.safetensors';

const at = (id) => document.getElementById(id);
const [drop, form, text, status] = ['drop', 'form', 'text', 'status'].map(at);

/** @type {import('halfbyte').Model | null} */
let model = null;
/** Stops what is under way; null: nothing is. */
let controller = null;

/** Runs one piece of work that the stop button ends. */
async function run(work) {
  controller = new AbortController();
  showState();
  try {
    await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) say('Stopped.');
    else say(error.message, true);
  }
  controller = null;
  text.setAttribute('aria-busy', 'false');
  at('loading').hidden = true;
  showState();
}

async function load(location, name, signal) {
  await unload();
  at('loading').hidden = false;
  at('progress').removeAttribute('value');
  at('loaded').textContent = '';
  say(`Loading ${name}.`);
  model = await loadModel(location, { signal, onProgress: showProgress });
  at('model-name').textContent = name;
  say(`Loaded ${name} in ${model.loadMs.toFixed(0)} ms.`);
  at('loading').hidden = true;
  at('speed').textContent = '–';
  showState();
  showDevice(model.runtime);
  showMemory();
}

async function unload() {
  const old = model;
  model = null;
  await old?.dispose();
  at('model-name').innerHTML = 'Drop a <code>.safetensors</code> file here, or';
  showMemory();
}

async function generate(signal) {
  if (!model) await load(BUNDLED, 'stories15M', signal);
  const prompt = at('prompt').value;
  text.replaceChildren(Object.assign(document.createElement('span'), { textContent: prompt }));
  text.firstChild.className = 'prompt';
  text.setAttribute('aria-busy', 'true');
  say('Generating.');
  const chunks = model.generate(model.chatTemplate ? [{ role: 'user', content: prompt }] : prompt, {
    maxTokens: at('tokens').valueAsNumber,
    temperature: at('temperature').valueAsNumber,
    ...(at('seed').value !== '' && { seed: at('seed').valueAsNumber }),
    signal,
  });
  let count = 0;
  let first = 0;
  let next = await chunks.next();
  for (; !next.done; next = await chunks.next()) {
    text.append(next.value.text);
    if (count++ === 0) first = performance.now();
    else showSpeed(((count - 1) * 1000) / (performance.now() - first));
    showMemory();
  }
  const { tokens, finishReason, seed, timings } = next.value;
  const end = finishReason === 'stop' ? 'end of text' : 'limit reached';
  say(`${tokens.length} tokens (${end}), seed ${seed}.`);
  showSpeed(timings.decodeTokensPerSecond);
  showMemory();
}

/** One file, or the files of a model's folder. */
function chosen(files) {
  const list = [...files];
  if (list.length === 0) return;
  const [file] = list;
  const location = list.length === 1 ? file : Object.fromEntries(list.map((f) => [f.name, f]));
  run((signal) => load(location, file.name, signal));
}

function showProgress({ stage, done, total }) {
  if (stage !== 'weights') return;
  at('progress').value = total > 0 ? done / total : 1;
  at('loaded').textContent = `${number(done)} of ${megabytes(total)}`;
}

function showState() {
  const busy = controller !== null;
  at('stop').disabled = !busy;
  for (const id of ['generate', 'bundled', 'file', 'unload']) at(id).disabled = busy;
  at('unload').hidden = model === null;
  at('bundled').hidden = model !== null;
}

function showSpeed(tokensPerSecond) {
  at('speed').textContent = `${tokensPerSecond.toFixed(0)} tokens/s`;
}

function showMemory() {
  if (!model) {
    at('memory').textContent = '–';
    return;
  }
  const { weights, arena } = model.memory;
  const kv = model.kvBytesInUse;
  const parts = `${number(weights)} weights, ${number(arena)} arena, ${number(kv)} KV cache`;
  at('memory').textContent = `${megabytes(weights + arena + kv)}: ${parts}`;
}

function showDevice({ device, threads, simd, refusals }) {
  at('device').textContent =
    `${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${simd} SIMD`;
  at('refusals').hidden = refusals.length === 0;
  at('reasons').replaceChildren(
    ...refusals.map((reason) =>
      Object.assign(document.createElement('li'), { textContent: reason }),
    ),
  );
}

function say(message, isError = false) {
  status.textContent = message;
  status.classList.toggle('error', isError);
}

function megabytes(bytes) {
  return `${number(bytes)} MB`;
}

function number(bytes) {
  return (bytes / 1e6).toFixed(1);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!controller) run(generate);
});
at('stop').addEventListener('click', () => controller?.abort());
at('bundled').addEventListener('click', () => run((signal) => load(BUNDLED, 'stories15M', signal)));
at('unload').addEventListener('click', () =>
  run(async () => {
    await unload();
    say('Unloaded.');
  }),
);
at('file').addEventListener('change', ({ target }) => {
  chosen(target.files);
  target.value = '';
});
// Everywhere: a file dropped beside the field would replace the page.
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
document.addEventListener('dragleave', () => drop.classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  if (!controller) chosen(event.dataTransfer.files);
});

showState();
reportRuntime().then(
  ({ choice }) => {
    if (!model) showDevice(choice);
  },
  (error) => say(error.message, true),
);
