// Resident memory of this process, in bytes, after garbage is collected (run with --expose-gc).

import { readFileSync } from 'node:fs';

declare const gc: (() => void) | undefined;

/** @throws if the process was started without --expose-gc */
export async function residentBytes(): Promise<number> {
  if (typeof gc !== 'function') throw new Error('run with --expose-gc');
  for (let i = 0; i < 3; i++) {
    gc();
    // Finalizers and freed backing stores need turns of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return process.memoryUsage().rss;
}

/** Mean of a fifth of the samples: 1 is the second fifth, 4 the last. */
export function fifth(samples: readonly number[], index: number): number {
  const size = Math.floor(samples.length / 5);
  const part = samples.slice(index * size, (index + 1) * size);
  return part.reduce((sum, value) => sum + value, 0) / part.length;
}

/** The most resident bytes this process has had. */
export function peakResidentBytes(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  } catch {
    // Where there is no /proc. On Linux this counts what the parent had when it started the process, too.
    return process.resourceUsage().maxRSS * 1024;
  }
}
