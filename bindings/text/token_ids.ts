import { FormatError } from '../errors.js';

/** Token ids of a text as they come. */
export class TokenIds {
  readonly list: number[] = [];
  readonly #unknown: number | undefined;
  readonly #fusesUnknown: boolean;
  #mayFuseFrom = 0;

  /** @param unknown the token of what has none, and whether several of them become one */
  constructor(unknown: number | undefined, fusesUnknown: boolean) {
    this.#unknown = unknown;
    this.#fusesUnknown = fusesUnknown;
  }

  /** What follows is another part of the text: nothing fuses with what was before. */
  begin(): void {
    this.#mayFuseFrom = this.list.length;
  }

  /** @throws FormatError without an id */
  push(id: number | undefined): void {
    if (id === undefined || !Number.isInteger(id)) {
      throw new FormatError(
        '[tokenizer.json] the text has a piece without a token, and no unk_token',
      );
    }
    const { list } = this;
    const fuses = this.#fusesUnknown && id === this.#unknown && list.length > this.#mayFuseFrom;
    if (!fuses || list.at(-1) !== id) list.push(id);
  }
}
