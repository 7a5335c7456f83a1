// How threads share the ops of a step: chunks are claimed one by one, and an op is over when all its
// chunks are *done*, no matter which threads took part. A thread that lost its core for a while holds up
// only the chunk it was working on.
//
// Every op of every step has its own sequence number. PLAN_CLAIM holds the current one together with the
// next free chunk, so a thread that comes late from an older op or step sees another number and goes on.

import { PLAN_CLAIM, PLAN_DONE, PLAN_WAITERS } from './op_layout';

/** Loads before a waiting thread goes to sleep: tens of microseconds, longer than most ops. */
const SPINS = 4000;
/** Nanoseconds without any finished chunk after which a thread is given up. */
const PATIENCE: i64 = 30_000_000_000;

/** Takes the next chunk of op `sequence`, or returns -1 if none is left. */
export function claim_chunk(plan: usize, sequence: u32, chunks: u32): i32 {
  while (true) {
    const claim = atomic.load<u64>(plan, PLAN_CLAIM);
    if (<u32>(claim >> 32) != sequence || <u32>claim >= chunks) return -1;
    if (atomic.cmpxchg<u64>(plan, claim, claim + 1, PLAN_CLAIM) == claim) return <i32>claim;
  }
}

/** Reports a claimed chunk as done; the last one of an op opens the next op. */
export function finish_chunk(plan: usize, sequence: u32, chunks: u32): void {
  if (atomic.add<u32>(plan, 1, PLAN_DONE) + 1 != chunks) return;
  atomic.store<u32>(plan, 0, PLAN_DONE);
  atomic.store<u64>(plan, (<u64>(sequence + 1)) << 32, PLAN_CLAIM);
  if (atomic.load<u32>(plan, PLAN_WAITERS)) atomic.notify(plan + PLAN_CLAIM + 4, -1);
}

/** Waits until op `sequence` is over. False: a thread died holding a chunk of it. */
export function wait_for_op(plan: usize, sequence: u32): bool {
  for (let i = 0; i < SPINS; i++) {
    if (atomic.load<u32>(plan, PLAN_CLAIM + 4) != sequence) return true;
  }
  while (atomic.load<u32>(plan, PLAN_CLAIM + 4) == sequence) {
    const done = atomic.load<u32>(plan, PLAN_DONE);
    atomic.add<u32>(plan, 1, PLAN_WAITERS);
    const woken = atomic.wait<i32>(plan + PLAN_CLAIM + 4, <i32>sequence, PATIENCE);
    atomic.sub<u32>(plan, 1, PLAN_WAITERS);
    const stuck = woken == 2 && atomic.load<u32>(plan, PLAN_DONE) == done;
    if (stuck && atomic.load<u32>(plan, PLAN_CLAIM + 4) == sequence) return false;
  }
  return true;
}
