/** Parts of a text, by its characters. Apart from what uses them, so that the tokenizer's types name no library. */
export type Ranges = readonly (readonly [begin: number, end: number])[];
