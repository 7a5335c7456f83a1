// A conversation with one model: the messages, and a session that keeps them as KV pages, so that each answer
// costs only what is new.

/** When more of the context than this is full, the older half of the conversation makes room. */
const MOST_USED = 3 / 4;

export class Chat {
  #model;
  #session = null;
  #messages = [];

  constructor(model) {
    this.#model = model;
  }

  /** Whether an answer knows what was said before: a model without a chat template only continues a text. */
  get remembers() {
    return this.#model.chatTemplate !== null;
  }

  clear() {
    this.#messages = [];
  }

  /**
   * Yields and returns as `model.generate`.
   * @param onForget is told how many of the oldest exchanges are left out from now on
   */
  async *ask(question, { onForget, ...options }) {
    if (!this.remembers) return yield* this.#model.generate(question, options);
    this.#session ??= await this.#model.createSession();
    const { length, contextLength } = this.#session;
    const said = this.#messages;
    let known = length > MOST_USED * contextLength ? newerHalf(said) : said;
    for (;;) {
      try {
        return yield* this.#answer(known, question, onForget, options);
      } catch (error) {
        // Only what nobody has begun to answer can be asked again.
        const tooLong = error.code === 'CAPACITY' && this.#messages === said;
        if (!tooLong || known.length === 0) throw error;
        known = newerHalf(known);
      }
    }
  }

  async *#answer(known, question, onForget, options) {
    const asked = [...known, { role: 'user', content: question }];
    let answer = '';
    try {
      const chunks = this.#model.generate(asked, { ...options, session: this.#session });
      for (let count = 0; ; count++) {
        const { done, value } = await chunks.next();
        if (done) return value;
        const forgotten = (this.#messages.length - known.length) / 2;
        if (count === 0 && forgotten > 0) onForget(forgotten);
        answer += value.text;
        yield value;
      }
    } finally {
      // An answer that was stopped has been read too.
      if (answer !== '') this.#messages = [...asked, { role: 'assistant', content: answer }];
    }
  }
}

/** Without the older half of the exchanges, which are a question and an answer each. */
function newerHalf(messages) {
  return messages.slice(2 * Math.ceil(messages.length / 4));
}
