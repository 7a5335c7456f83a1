// How threads share the spans of a step (run_plan.ts): chunks are claimed one by one, and a span is over when
// all its chunks are *done*, no matter which threads took part. A thread that lost its core for a while holds up
// only the chunk it was working on. A chunk is a thread's even share of what is left: long at first, as short
// chunks that alternate between threads make reading weights slow (bench/README.md), and short at the end,
// where threads wait for each other.
//
// Every span of every step has its own sequence number. PLAN_CLAIM holds the current one together with the
// next free unit, so a thread that comes late from an older span or step sees another number and goes on.

import { PLAN_CLAIM, PLAN_DONE, PLAN_WAITERS } from './op_layout';

/** Loads before a waiting thread goes to sleep: measured, some 50 microseconds, what waking it takes. */
const SPINS = 150000;
/** Nanoseconds of sleep after which a waiting thread looks around, as the one it waits for may be gone. */
const NAP: i64 = 50_000_000;
const TIMED_OUT = 2;

/** Units of the chunk that begins when `left` units are left. */
export function chunk_size(left: u32, threads: u32, least: u32): u32 {
  return min<u32>(left, max<u32>(least, left / threads));
}

/** Takes the next chunk of span `sequence` and returns its first unit, or -1 if none is left. */
export function claim_chunk(plan: usize, sequence: u32, units: u32, threads: u32, least: u32): i32 {
  while (true) {
    const claim = atomic.load<u64>(plan, PLAN_CLAIM);
    const unit = <u32>claim;
    if (<u32>(claim >> 32) != sequence || unit >= units) return -1;
    const size = chunk_size(units - unit, threads, least);
    if (atomic.cmpxchg<u64>(plan, claim, claim + size, PLAN_CLAIM) == claim) return <i32>unit;
  }
}

/** Reports `size` claimed units as done; the last ones of a span open the next one. */
export function finish_chunk(plan: usize, sequence: u32, size: u32, units: u32): void {
  if (atomic.add<u32>(plan, size, PLAN_DONE) + size != units) return;
  atomic.store<u32>(plan, 0, PLAN_DONE);
  atomic.store<u64>(plan, (<u64>(sequence + 1)) << 32, PLAN_CLAIM);
  if (atomic.load<u32>(plan, PLAN_WAITERS)) atomic.notify(plan + PLAN_CLAIM + 4, -1);
}

/** Waits until span `sequence` is over. False: not yet, and it is time to look around. */
export function wait_for_span(plan: usize, sequence: u32): bool {
  for (let i = 0; i < SPINS; i++) {
    if (atomic.load<u32>(plan, PLAN_CLAIM + 4) != sequence) return true;
  }
  while (atomic.load<u32>(plan, PLAN_CLAIM + 4) == sequence) {
    atomic.add<u32>(plan, 1, PLAN_WAITERS);
    const woken = atomic.wait<i32>(plan + PLAN_CLAIM + 4, <i32>sequence, NAP);
    atomic.sub<u32>(plan, 1, PLAN_WAITERS);
    if (woken == TIMED_OUT) return atomic.load<u32>(plan, PLAN_CLAIM + 4) != sequence;
  }
  return true;
}
