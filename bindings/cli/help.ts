// What to type: for who is here for the first time, and for all commands.

import type { CommandSpec } from './options.js';

export const FIRST_STEPS = `Language models for every place JavaScript runs.

  halfbyte generate MODEL --prompt "Once upon a time"   continues a text
  halfbyte generate MODEL --chat                        talks with you
  halfbyte compress MODEL -o OUT                        makes it 4 bits a weight

MODEL is a directory in Hugging Face's layout, on disk or behind a URL:
  https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct/resolve/main
`;

/** All commands, one a line. */
export function overview(specs: readonly CommandSpec[]): string {
  const width = Math.max(...specs.map(({ name }) => name.length)) + 2;
  return [
    'Language models for every place JavaScript runs.\n',
    'halfbyte COMMAND MODEL [options]\n',
    ...specs.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'halfbyte help COMMAND     options of a command; also halfbyte COMMAND --help',
    'halfbyte --version        also -V',
  ].join('\n');
}

/** Of a line, as terminals are wide at least by custom. */
const COLUMNS = 80;

/** Help of one command. */
export function commandHelp(spec: CommandSpec): string {
  const rows = Object.entries(spec.options).map(([name, { value, short, help }]) => {
    const names = `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`;
    return { names, help };
  });
  const width = Math.max(...rows.map(({ names }) => names.length)) + 2;
  return [
    `${spec.summary}\n`,
    ...spec.usage.map((line, i) => (i === 0 ? `halfbyte ${spec.name} ${line}` : `  ${line}`)),
    '',
    ...(spec.operands?.most === 0
      ? []
      : ['MODEL: a directory, or a .safetensors file; a URL likewise', '']),
    ...rows.flatMap(({ names, help }) =>
      wrap(help, COLUMNS - 2 - width).map(
        (line, i) => `  ${(i === 0 ? names : '').padEnd(width)}${line}`,
      ),
    ),
  ].join('\n');
}

/** Lines of whole words. */
function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
