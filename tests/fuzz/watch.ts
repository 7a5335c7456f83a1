// What a running child takes, read from outside: a child that hangs tells nothing itself. Linux only; null elsewhere.

import { readFileSync } from 'node:fs';

/** Of /proc: fixed by Linux for programs, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;

/** Processor seconds, threads included. */
export function cpuOf(pid: number): number | null {
  try {
    // The name of the program, in parentheses, may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

/** Resident bytes. */
export function residentOf(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return kilobytes ? 1024 * Number(kilobytes[1]) : null;
  } catch {
    return null;
  }
}
