// Runs cases in children, each until it has done its share, hangs, takes too much memory or dies.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Found, type Line, LINES_FD } from './lines.js';
import { makeScratch } from './scratch.js';
import { shapeOf, type Verdict } from './verdict.js';
import { cpuOf, residentOf } from './watch.js';

export interface RunOptions {
  readonly seed: number;
  /** First case. */
  readonly from: number;
  /** Most cases, and most processor seconds of all children. */
  readonly cases: number;
  readonly cpuSeconds: number;
  readonly processes: number;
  /** Limits of a case: processor seconds, resident bytes of its process. */
  readonly caseSeconds: number;
  readonly residentBytes: number;
  /** With commas, or `all`. */
  readonly kinds: string;
  /** The module of subjects. */
  readonly subjects: string;
  /** Damages of the one case that is run again. */
  readonly only?: string | undefined;
  /** Aborting ends the run as if its time were spent. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunEvents {
  onEnd(number: number, kind: string, outcome: Verdict | Found): void;
  /** A finding again, with fewer damages. */
  onSmaller(number: number, found: Found): void;
  /** Processor seconds of all children so far. */
  onCpu(seconds: number): void;
}

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
/** Then a fresh process: a fault of one case must not reach all that follow. */
const CASES_PER_CHILD = 2000;
const HEAP_MEGABYTES = 512;
const WATCH_MS = 100;
/** A busy machine gives little; a case that waits for nothing takes none. */
const WALL_PER_CPU = 8;
const STDERR_KEPT = 4000;

/** @returns when all cases are done, or the processor time is spent */
export async function runCases(options: RunOptions, events: RunEvents): Promise<void> {
  const scratch = makeScratch();
  const last = options.from + options.cases;
  let spent = 0;
  const isSpent = () => spent >= options.cpuSeconds || options.signal?.aborted === true;
  const addCpu = (seconds: number) => {
    spent += seconds;
    events.onCpu(spent);
  };
  const runLane = async (lane: number) => {
    let next = options.from + lane;
    while (next < last && !isSpent()) {
      const left = Math.ceil((last - next) / options.processes);
      const count = Math.min(CASES_PER_CHILD, left);
      next = await runChild({ ...options, from: next, cases: count }, scratch.env, {
        ...events,
        onCpu: addCpu,
        isSpent,
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: options.processes }, (_, lane) => runLane(lane)));
  } finally {
    scratch.remove();
  }
}

/** @returns the number of the case that follows in this lane */
async function runChild(
  options: RunOptions,
  env: Record<string, string>,
  events: RunEvents & { isSpent(): boolean },
): Promise<number> {
  const { seed, from, processes, cases, kinds, subjects, only } = options;
  const words = [
    seed,
    from,
    processes,
    cases,
    kinds,
    subjects,
    ...(only === undefined ? [] : [only]),
  ];
  const flags = [`--max-old-space-size=${HEAP_MEGABYTES}`, '--enable-source-maps'];
  const child = spawn(process.execPath, [...flags, CHILD, ...words.map(String)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const state = new ChildState(child, options, events);
  const closed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`${error}`));
    child.once('close', (code, signal) => resolve(signal ?? `exit ${code}`));
  });
  const timer = setInterval(() => state.watch(), WATCH_MS);
  const end = await closed;
  clearInterval(timer);
  return state.close(end);
}

interface Running {
  readonly number: number;
  readonly kind: string;
  readonly damages: readonly string[];
  readonly cpu: number;
  readonly since: number;
  /** It has ended, and is run again with fewer damages. */
  readonly again: boolean;
}

class ChildState {
  readonly #child: ChildProcess;
  readonly #options: RunOptions;
  readonly #events: RunEvents & { isSpent(): boolean };
  #running: Running | null = null;
  #next: number;
  #cpu = 0;
  #stderr = '';
  #stopped: { readonly what: string; readonly message: string } | 'spent' | null = null;

  constructor(
    child: ChildProcess,
    options: RunOptions,
    events: RunEvents & { isSpent(): boolean },
  ) {
    this.#child = child;
    this.#options = options;
    this.#events = events;
    this.#next = options.from;
    const lines = createInterface({ input: child.stdio[LINES_FD] as Readable });
    lines.on('line', (line) => this.#read(JSON.parse(line) as Line));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(0, STDERR_KEPT);
    });
  }

  #read(line: Line): void {
    this.#tookCpu(line.cpu);
    if ('begin' in line) {
      const { begin: number, kind, damages, cpu } = line;
      const again = number < this.#next;
      this.#running = { number, kind, damages, cpu, since: performance.now(), again };
      return;
    }
    this.#running = null;
    if ('smaller' in line) {
      this.#events.onSmaller(line.smaller, line.found);
      return;
    }
    this.#ended(line.end, line.kind, 'found' in line ? line.found : line.verdict);
  }

  #ended(number: number, kind: string, outcome: Verdict | Found): void {
    this.#next = number + this.#options.processes;
    this.#events.onEnd(number, kind, outcome);
  }

  #tookCpu(cpu: number): void {
    if (cpu <= this.#cpu) return;
    this.#events.onCpu(cpu - this.#cpu);
    this.#cpu = cpu;
  }

  /** Ends the child if its case takes too much. */
  watch(): void {
    const { pid } = this.#child;
    if (this.#stopped || pid === undefined) return;
    const cpu = cpuOf(pid);
    if (cpu !== null) this.#tookCpu(cpu);
    if (this.#events.isSpent()) this.#stop('spent');
    const running = this.#running;
    if (!running) return;
    const { caseSeconds, residentBytes } = this.#options;
    const resident = residentOf(pid) ?? 0;
    if (resident > residentBytes) {
      const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
      const message = `${megabytes(resident)} resident, limit ${megabytes(residentBytes)}`;
      this.#stop({ what: 'memory', message });
    }
    const wall = (performance.now() - running.since) / 1000;
    const over = cpu === null ? wall > caseSeconds : cpu - running.cpu > caseSeconds;
    if (over || wall > caseSeconds * WALL_PER_CPU) {
      const message = over ? `over ${caseSeconds} s` : `stands still, over ${Math.round(wall)} s`;
      this.#stop({ what: 'time', message });
    }
  }

  #stop(why: { readonly what: string; readonly message: string } | 'spent'): void {
    this.#stopped ??= why;
    this.#child.kill('SIGKILL');
  }

  /** The child has ended, as `end` says. @returns the case that follows */
  close(end: string): number {
    const running = this.#running;
    if (this.#stopped === 'spent') return this.#next;
    if (running === null) {
      if (end === 'exit 0') return this.#next;
      throw new Error(`[fuzz] a child ended between cases with ${end}: ${this.#stderr}`);
    }
    if (running.again) return this.#next;
    const reason = /^.*(?:Error|FATAL)\b.*$/m.exec(this.#stderr)?.[0] ?? '';
    const seen = {
      ...(this.#stopped ?? { what: 'death', message: `${end} ${reason}` }),
      stack: '',
    };
    const { number, kind, damages } = running;
    const shape = `${shapeOf(kind, seen)} ${damages.join(', ')}`;
    const needed = damages.map((_, i) => i);
    this.#ended(number, kind, { ...seen, kind, shape, damages, needed, input: '' });
    return this.#next;
  }
}
