// JSON.parse keeps the last of two entries with one key, and says nothing.

import { FormatError } from '../errors.js';
import { describe, type JsonObject, parseJsonObject } from './json_fields.js';

const MARK = /["{}[\]]/g;
const COLON = /[ \t\n\r]*:/y;
const BACKSLASH = 0x5c;

/** As parseJsonObject. @throws FormatError for an object that has a key twice, at any depth, too */
export function parseUniqueKeys(text: string, name: string): JsonObject {
  const object = parseJsonObject(text, name);
  refuseRepeatedKeys(text, name);
  return object;
}

/** @param text JSON that has been parsed */
function refuseRepeatedKeys(text: string, name: string): void {
  /** Keys of the objects around; null stands for an array. */
  const around: (Set<string> | null)[] = [];
  for (let begin = find(MARK, text, 0); begin >= 0; ) {
    let end = begin + 1;
    const mark = text[begin];
    if (mark === '{') around.push(new Set());
    else if (mark === '[') around.push(null);
    else if (mark !== '"') around.pop();
    else {
      end = stringEnd(text, begin);
      const keys = around.at(-1);
      if (keys && find(COLON, text, end) >= 0) {
        const key: string = JSON.parse(text.slice(begin, end));
        if (keys.has(key)) throw new FormatError(`[${name}] ${describe(key)} is there twice`);
        keys.add(key);
      }
    }
    begin = find(MARK, text, end);
  }
}

function find(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex - 1 : -1;
}

/** Behind the closing quote. A pattern would keep a place to go back to for each character. */
function stringEnd(text: string, begin: number): number {
  for (let quote = text.indexOf('"', begin + 1); ; quote = text.indexOf('"', quote + 1)) {
    let escapes = 0;
    while (text.charCodeAt(quote - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return quote + 1;
  }
}
