// Choose a model, write a prompt, read along. The model lives in workers that halfbyte starts; this page only
// shows what they say: panel.js about the model, transcript.js about the conversation.

import { loadModel, reportRuntime } from 'halfbyte';
import { Chat } from './chat.js';
import { whenChosen } from './chosen.js';
import { at, keepAtEnd } from './elements.js';
import { showLoading, showMemory, showModel, showProgress, showRuntime } from './panel.js';
import { Transcript } from './transcript.js';

const BUNDLED = { location: 'model.safetensors', name: 'stories15M' };

const transcript = new Transcript(at('transcript'));

/** The model that answers, its name and what was said to it; null: none is loaded. */
let loaded = null;
/** Stops what is under way; null: nothing is. */
let controller = null;

/** Runs one piece of work that the stop button ends. */
async function run(work) {
  if (controller) return;
  controller = new AbortController();
  showState();
  try {
    await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) say('Stopped.');
    else complain(error);
  }
  controller = null;
  showState();
}

/** If it cannot be loaded, the model that was there answers on: until it is, both are in memory. */
async function load(chosen, signal) {
  const { location, name } = await chosen;
  say(`Loading ${name}.`);
  showLoading(true);
  try {
    const model = await loadModel(location, { signal, onProgress: showProgress });
    await unload();
    loaded = { model, name, chat: new Chat(model) };
  } catch (error) {
    throw loaded && !signal.aborted ? new Error(stillThere(error, loaded.name)) : error;
  } finally {
    showLoading(false);
  }
  const { model, chat } = loaded;
  showModel(name, chat);
  showRuntime(model.runtime);
  showMemory(model);
  say(`Loaded ${name} in ${model.loadMs.toFixed(0)} ms.`);
}

function stillThere({ code, message }, name) {
  if (code !== 'CAPACITY') return `${message}. ${name} stays loaded.`;
  return `Not enough memory for this model beside ${name}, which stays loaded. Unload it to make room. ${message}`;
}

async function unload() {
  const old = loaded;
  loaded = null;
  await old?.model.dispose();
  if (old) transcript.close();
  showModel(null);
  showMemory(null);
}

async function answer(signal) {
  if (!loaded) await load(BUNDLED, signal);
  const { model, chat } = loaded;
  const question = at('prompt').value;
  at('prompt').value = '';
  at('speed').textContent = '';
  say('Reading the prompt.');
  const turn = transcript.add(question, !chat.remembers);
  try {
    const { tokens, finishReason, seed, timings } = await follow(
      chat.ask(question, {
        maxTokens: at('tokens').valueAsNumber,
        temperature: at('temperature').valueAsNumber,
        ...(at('seed').value !== '' && { seed: at('seed').valueAsNumber }),
        signal,
        onProgress: ({ done, total }) => say(`Reading the prompt: ${done} of ${total} tokens.`),
        onForget: (count) => transcript.forget(count),
      }),
      turn,
    );
    const full = tokens.length < at('tokens').valueAsNumber;
    const limit = full ? `context of ${model.config.contextLength} tokens full` : 'limit reached';
    say(
      `${tokens.length} tokens (${finishReason === 'stop' ? 'end of text' : limit}), seed ${seed}.`,
    );
    showSpeed(timings.decodeTokensPerSecond);
  } catch (error) {
    if (error.code !== 'CAPACITY' || !turn.isEmpty) throw error;
    const { contextLength } = model.config;
    throw new Error(
      `This is too long for the context of ${contextLength} tokens. ${error.message}`,
    );
  } finally {
    // What nothing answers may be asked again.
    if (turn.isEmpty && at('prompt').value === '') at('prompt').value = question;
    transcript.end(turn);
    showMemory(model);
  }
}

/** Shows an answer as it comes. @returns what `generate` returns */
async function follow(chunks, turn) {
  let first = 0;
  for (let count = 0; ; count++) {
    const { done, value } = await chunks.next();
    if (done) return value;
    turn.append(value.text);
    showMemory(loaded.model);
    if (count === 0) {
      first = performance.now();
      say('Answering.');
    } else showSpeed((count * 1000) / (performance.now() - first));
  }
}

function showSpeed(tokensPerSecond) {
  at('speed').textContent = `${tokensPerSecond.toFixed(0)} tokens/s`;
}

function showState() {
  const busy = controller !== null;
  const hadFocus = document.activeElement;
  at('stop').hidden = !busy;
  at('send').hidden = busy;
  for (const id of ['bundled', 'file', 'folder', 'unload', 'new']) at(id).disabled = busy;
  at('unload').hidden = loaded === null;
  at('bundled').hidden = loaded !== null;
  at('new').hidden = transcript.isEmpty;
  // A button that goes would take the focus of the keyboard with it.
  if (hadFocus?.hidden) at('prompt').focus();
}

function say(message, className = '') {
  keepAtEnd(() => Object.assign(at('status'), { textContent: message, className }));
}

function complain({ message }) {
  at('speed').textContent = '';
  say(message, 'error');
}

function openSettings(open) {
  at('settings').hidden = !open;
  at('open').setAttribute('aria-expanded', open);
}

at('form').addEventListener('submit', (event) => {
  event.preventDefault();
  run(answer);
});
// A setting that is refused must be seen.
at('settings').addEventListener('invalid', () => openSettings(true), true);
at('prompt').addEventListener('keydown', (event) => {
  // Enter also ends the composing of a character, in Japanese for one.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!controller) at('form').requestSubmit();
});
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') controller?.abort();
});
at('open').addEventListener('click', () => openSettings(at('settings').hidden));
at('stop').addEventListener('click', () => controller?.abort());
at('new').addEventListener('click', () => {
  loaded?.chat.clear();
  transcript.clear();
  say('');
  showState();
  at('prompt').focus();
});
at('bundled').addEventListener('click', () => run((signal) => load(BUNDLED, signal)));
at('unload').addEventListener('click', () =>
  run(async () => {
    await unload();
    say('Unloaded.');
  }),
);
whenChosen((chosen) => run((signal) => load(chosen, signal)));

showState();
reportRuntime().then(({ choice }) => {
  if (!loaded) showRuntime(choice);
}, complain);
