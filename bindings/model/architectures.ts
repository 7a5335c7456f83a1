// Which models run. Whoever asks, asks here; the type makes sure that each has its plan.

/** By its name among `architectures` in config.json: its `model_type`, and models that are published as it. */
export const ARCHITECTURES = {
  LlamaForCausalLM: { modelType: 'llama', models: 'Llama 2 and 3, SmolLM2, TinyLlama' },
} as const;

export type Architecture = keyof typeof ARCHITECTURES;

/** By either name that config.json has for it, null for one that does not run. */
export function findArchitecture(name: unknown): Architecture | null {
  const known = Object.keys(ARCHITECTURES) as Architecture[];
  return known.find((one) => one === name || ARCHITECTURES[one].modelType === name) ?? null;
}

/** Encoders, and decoders without the head that predicts tokens. */
const WRITES_NO_TEXT =
  /^(?!.*(ForCausalLM|LMHeadModel)$).*(bert|roberta|mpnet|electra)|For(MaskedLM|\w*Classification|QuestionAnswering)$|^(Llama|Mistral|Qwen[23]|Gemma[23]?)(Text)?Model$/i;

/** Why a model does not run, and which do. */
export function architectureRefusal(name: string): string {
  const kind = WRITES_NO_TEXT.test(name)
    ? 'a model that makes embeddings or labels, not text, and is not supported'
    : 'not supported';
  const known = Object.entries(ARCHITECTURES).map(([one, { models }]) => `${one} (${models})`);
  return `${name} is ${kind}; what runs: ${known.join(', ')}`;
}
