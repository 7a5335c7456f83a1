import { type RuntimeReport, reportRuntime } from '../executor/report.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { COMMON, NO_MODEL } from './options.js';
import { count, megabytes } from './words.js';

export const doctor: Command = {
  spec: {
    name: 'doctor',
    summary: 'Tell what this runtime can do, and why not more.',
    usage: ['[--json]'],
    operands: NO_MODEL,
    options: COMMON,
  },

  async run(options, terminal) {
    const report = await reportRuntime();
    if (options.has('json')) return writeJson(terminal, report);
    print(report, terminal);
  },
};

function print({ runtime, choice, builds, processors, memory }: RuntimeReport, terminal: Terminal) {
  const inUse = memory.inUse === null ? '' : `; in use now ${megabytes(memory.inUse)}`;
  terminal.write(
    [
      `runtime     ${runtime.name} ${runtime.version}`,
      `runs on     ${choice.device}, ${choice.simd} SIMD, ${count(choice.threads, 'thread')}`,
      `processors  ${processors}`,
      `memory      at most ${megabytes(memory.limit)} a model${inUse}`,
      ...Object.entries(builds).map(
        ([build, refusal], i) =>
          `${i === 0 ? 'core builds' : ''}`.padEnd(12) +
          `${build.padEnd(16)}${refusal === null ? 'works' : `refused: ${refusal}`}`,
      ),
      '',
    ].join('\n'),
  );
}
