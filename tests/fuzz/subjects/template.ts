// Chat templates that come with a model, and messages that come from anywhere.

import type { ChatMessage, Prompt } from '../../../bindings/index.js';
import type { TestRandom } from '../../support/random.js';
import { anyText } from '../byte_damage.js';
import { type Draft, draftFiles } from '../draft.js';
import { HARMFUL } from '../harmful_templates.js';
import { hostileValue, type JsonTree, jsonDamages, RawJson, toJson } from '../json_damage.js';
import { type Damage, oneIn, pick, subject } from '../subject.js';
import { drawTemplate } from '../template_grammar.js';
import { textDraft, withTextModel } from '../text_model.js';
import { Finding, judge, type Verdict } from '../verdict.js';

interface Chat {
  readonly draft: Draft;
  /** Messages as JSON that may be anything. */
  readonly messages: JsonTree;
}

const ROLES = ['system', 'user', 'assistant', 'tool', 'User', '', '<|im_start|>', '__proto__'];

/** In the manner of ChatML, of Llama 2 and of Zephyr. */
const REAL = [
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  "{% if messages[0]['role'] == 'system' %}{% set s = messages[0]['content'] %}{% set rest = messages[1:] %}{% else %}{% set s = '' %}{% set rest = messages %}{% endif %}{% for m in rest %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ bos_token + '[INST] ' + s + m['content'].strip() + ' [/INST]' }}{% endfor %}",
  "{%- for message in messages %}{{- '<|' ~ message.role ~ '|>\\n' ~ message.content | trim ~ eos_token }}{%- endfor %}",
];

function messages(random: TestRandom): Record<string, unknown>[] {
  const turns = Array.from({ length: 1 + random.below(4) }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: anyText(random),
  }));
  const system = { role: 'system', content: anyText(random, 1) };
  return oneIn(random, 3) ? [system, ...turns] : turns;
}

function chat(random: TestRandom, template: string): Chat {
  const draft = textDraft(random, { chatTemplate: template });
  return { draft, messages: { root: messages(random) } };
}

/** A prompt of messages ends, whatever they and the template are. */
async function run({ draft, messages: { root } }: Chat, random: TestRandom): Promise<Verdict> {
  // Who calls holds objects, not JSON text: a nest too deep for JSON.parse is no message.
  const given = plain(root) as readonly ChatMessage[];
  const variables = oneIn(random, 4) ? { x: plain(hostileValue(random)) } : undefined;
  return judge(() =>
    withTextModel(draftFiles(draft), async (model) => {
      const options = { maxTokens: 0, chat: { addGenerationPrompt: oneIn(random, 2), variables } };
      const { promptTokens } = await model.complete(given as Prompt, options);
      const most = model.config.vocabSize;
      const bad = promptTokens.find((id) => !(Number.isInteger(id) && id >= 0 && id < most));
      if (bad !== undefined) throw new Finding('ids', `${bad} of ${most}`);
    }),
  );
}

/** The value that a caller would hold; what is no JSON becomes a text. */
function plain(value: unknown): unknown {
  try {
    return JSON.parse(toJson(value));
  } catch {
    return value instanceof RawJson ? value.text : 'no JSON';
  }
}

function show({ draft, messages: { root } }: Chat): string {
  return JSON.stringify({ template: draft.chatTemplate, messages: toJson(root).slice(0, 10_000) });
}

const MESSAGE_DAMAGES: readonly Damage<Chat>[] = [
  ...jsonDamages<Chat>('messages', (one) => one.messages),
  {
    name: 'messages: another role',
    apply({ messages: { root } }, random) {
      if (!Array.isArray(root) || root.length === 0) return;
      const message: unknown = pick(random, root);
      if (typeof message !== 'object' || message === null) return;
      (message as Record<string, unknown>)['role'] = pick(random, ROLES);
    },
  },
  {
    name: 'messages: content in parts',
    apply({ messages: { root } }, random) {
      if (!Array.isArray(root)) return;
      const part = { type: pick(random, ['text', 'image', 'x']), text: anyText(random) };
      root.push({ role: 'user', content: [part, part] });
    },
  },
];

/** Cuts and doublings of the template's own text. */
const TEMPLATE_DAMAGES: readonly Damage<Chat>[] = [
  {
    name: 'template: a piece gone or doubled',
    apply({ draft }, random) {
      const text = draft.chatTemplate ?? '';
      const [begin, length] = [random.below(text.length + 1), random.below(12)];
      const piece = text.slice(begin, begin + length);
      const kept = oneIn(random, 2) ? piece + piece : '';
      draft.chatTemplate = text.slice(0, begin) + kept + text.slice(begin + length);
    },
  },
  {
    name: 'template: one that does harm',
    apply({ draft }, random) {
      const text = pick(random, HARMFUL);
      draft.chatTemplate = oneIn(random, 3) ? `${draft.chatTemplate}${text}` : text;
    },
  },
];

export const template = subject<Chat>({
  kind: 'template',
  share: 5,
  damages: [...TEMPLATE_DAMAGES, ...MESSAGE_DAMAGES],
  make: (random) => chat(random, drawTemplate(random)),
  run,
  show,
});

export const chatMessages = subject<Chat>({
  kind: 'messages',
  share: 3,
  damages: MESSAGE_DAMAGES,
  make: (random) => chat(random, pick(random, REAL)),
  run,
  show,
});
