// One child: started, listened to, watched and, if need be, killed.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Found, LINES_FD, type Line } from './lines.js';
import { shapeOf, type Verdict } from './verdict.js';
import { cpuOf, residentOf } from './watch.js';

export interface ChildOptions {
  readonly seed: number;
  /** First case, how many, and how far apart they are. */
  readonly from: number;
  readonly cases: number;
  readonly processes: number;
  /** Limits of a case: processor seconds, resident bytes of its process. */
  readonly caseSeconds: number;
  readonly residentBytes: number;
  /** With commas, or `all`. */
  readonly kinds: string;
  /** The module of subjects. */
  readonly subjects: string;
  /** Damages of the one case, as indices with commas; default: all. */
  readonly only?: string | undefined;
}

export interface ChildEvents {
  onEnd(number: number, kind: string, outcome: Verdict | Found): void;
  /** A finding again, with fewer damages. */
  onSmaller(number: number, found: Found): void;
  /** Processor seconds that were taken since the last call. */
  onCpu(seconds: number): void;
  /** Whether the child is to end now. */
  isSpent(): boolean;
}

export interface ChildEnd {
  /** The case that follows. */
  readonly next: number;
  /** The case that ended the child, of which no event has told. */
  readonly killed: { readonly number: number; readonly found: Found } | null;
}

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
const HEAP_MEGABYTES = 512;
const WATCH_MS = 100;
/** A busy machine gives little; a case that waits for nothing takes none. */
const WALL_PER_CPU = 8;
const STDERR_KEPT = 4000;

/** Runs its cases, or those up to one that ends it. @param env where its files go */
export async function runChild(
  options: ChildOptions,
  env: Record<string, string>,
  events: ChildEvents,
): Promise<ChildEnd> {
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
  readonly input: string;
  readonly since: number;
  /** It has ended, and is run again with fewer damages. */
  readonly again: boolean;
}

class ChildState {
  readonly #child: ChildProcess;
  readonly #options: ChildOptions;
  readonly #events: ChildEvents;
  #running: Running | null = null;
  #next: number;
  #cpu = 0;
  #stderr = '';
  /** The beginning of a line. */
  #rest = '';
  #stopped: { readonly what: string; readonly message: string } | 'spent' | null = null;

  constructor(child: ChildProcess, options: ChildOptions, events: ChildEvents) {
    this.#child = child;
    this.#options = options;
    this.#events = events;
    this.#next = options.from;
    const lines = child.stdio[LINES_FD] as Readable;
    lines.setEncoding('utf8').on('data', (text: string) => this.#readLines(text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(0, STDERR_KEPT);
    });
  }

  /** Not by readline, for which U+2028 ends a line too. */
  #readLines(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#read(JSON.parse(line) as Line);
  }

  #read(line: Line): void {
    this.#tookCpu(line.cpu);
    if ('begin' in line) {
      const { begin: number, kind, damages, cpu, input = '' } = line;
      const again = number < this.#next;
      const since = performance.now();
      this.#running = { number, kind, damages, cpu, input, since, again };
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

  /** The child has ended, as `end` says. */
  close(end: string): ChildEnd {
    const running = this.#running;
    const spent = this.#stopped === 'spent' || this.#events.isSpent();
    if (spent || running?.again || (running === null && end === 'exit 0')) {
      return { next: this.#next, killed: null };
    }
    if (running === null) {
      throw new Error(`[fuzz] a child ended between cases with ${end}: ${this.#stderr}`);
    }
    const reason = /^.*(?:Error|FATAL)\b.*$/m.exec(this.#stderr)?.[0] ?? '';
    const stopped = this.#stopped === 'spent' ? null : this.#stopped;
    const seen = { ...(stopped ?? { what: 'death', message: `${end} ${reason}` }), stack: '' };
    const { number, kind, damages, input } = running;
    const needed = damages.map((_, i) => i);
    const found = { ...seen, kind, shape: shapeOf(kind, seen), damages, needed, input };
    return { next: number + this.#options.processes, killed: { number, found } };
  }
}
