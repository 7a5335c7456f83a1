/** C0, DEL and C1, which move a terminal's cursor or worse, and what turns the direction of text around. */
const CONTROLS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A text that may come from a file's bytes, fit for one line of a terminal: control characters as `\u001b`.
 * JSON on one line stays the same JSON.
 */
export function printable(text: string): string {
  return text.replace(CONTROLS, (control) => {
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
