// Runs a step: every op of the plan, in order, over the rows of the step. Each thread runs this same
// function on the same plan; an op's units of work (rows, panels of outputs, heads) are cut in chunks that
// threads claim. Unit boundaries never cut a sum, so the thread count cannot change a result.
//
// Threads wait for each other between spans, not between ops: a span is an op, or several matmuls of one input,
// whose units are counted through, or several ops that go row by row, where a unit is a row's way through all of
// them. Who writes the plan sees to it that no op of a span needs another unit's result (spans.ts).

import { chunk_size, claim_chunk, finish_chunk, wait_for_span } from './barrier';
import {
  CODE_MATMUL,
  CODE_SDPA,
  OP_BYTES,
  OP_CODE,
  OP_FOLLOWERS,
  OP_KV_HEADS,
  OP_N,
  PANEL,
  PLAN_BASE,
  PLAN_BYTES,
  PLAN_CLAIM,
  PLAN_JOINED,
  PLAN_OP_COUNT,
  PLAN_SCRATCH,
  PLAN_SCRATCH_BYTES,
  PLAN_STEP,
  PLAN_STOP,
  PLAN_THREADS,
} from './op_layout';
import { rows_of, run_op } from './run_op';

/** Panels of a matmul that a thread claims at least: 16 output rows. */
const LEAST_PANELS: u32 = 2;

/**
 * Runs a step on the calling thread, or goes on with the one that it left. False: left, as another thread
 * takes long over its chunk or died with it; only the caller can tell, as events come to it meanwhile.
 */
export function run_plan(plan: usize, goesOn: bool): bool {
  if (!ASC_FEATURE_THREADS) return run_ops_alone(plan);
  if (!goesOn) {
    // Atomic, so that a thread which sees this base also sees the rows and counts written before it.
    atomic.store<u32>(plan, atomic.load<u32>(plan, PLAN_CLAIM + 4), PLAN_BASE);
    atomic.add<u32>(plan, 1, PLAN_STEP);
    atomic.notify(plan + PLAN_STEP, -1);
  }
  return run_ops(plan, 0);
}

/** A worker's life: sleeps until a step starts, takes part in it, until PLAN_STOP is set. */
export function run_worker(plan: usize, thread: u32): void {
  if (!ASC_FEATURE_THREADS) return;
  atomic.or<u32>(plan + ((thread >> 5) << 2), 1 << (thread & 31), PLAN_JOINED);
  let seen: u32 = 0;
  while (true) {
    while (atomic.load<u32>(plan, PLAN_STEP) == seen) {
      atomic.wait<i32>(plan + PLAN_STEP, <i32>seen, -1);
    }
    seen = atomic.load<u32>(plan, PLAN_STEP);
    do {
      if (atomic.load<u32>(plan, PLAN_STOP)) return;
    } while (!run_ops(plan, thread));
  }
}

/** Wakes the workers and lets them end. */
export function stop_workers(plan: usize): void {
  if (!ASC_FEATURE_THREADS) return;
  atomic.store<u32>(plan, 1, PLAN_STOP);
  atomic.add<u32>(plan, 1, PLAN_STEP);
  atomic.notify(plan + PLAN_STEP, -1);
}

function run_ops_alone(plan: usize): bool {
  const count = load<u32>(plan, PLAN_OP_COUNT);
  const scratch = load<u32>(plan, PLAN_SCRATCH);
  for (let i: u32 = 0; i < count; i++) {
    const op = plan + PLAN_BYTES + i * OP_BYTES;
    run_op(plan, op, scratch, 0, units_of(plan, op));
  }
  return true;
}

/**
 * Takes part in the step. False: it is not over yet. From the start again then: nothing is left to claim of
 * the spans that are over.
 */
function run_ops(plan: usize, thread: u32): bool {
  // The base is read before anything else: rows and counts that go with it cannot be older than it is.
  const base = atomic.load<u32>(plan, PLAN_BASE);
  const count = load<u32>(plan, PLAN_OP_COUNT);
  const threads = load<u32>(plan, PLAN_THREADS);
  const scratch = load<u32>(plan, PLAN_SCRATCH) + thread * load<u32>(plan, PLAN_SCRATCH_BYTES);
  const end = plan + PLAN_BYTES + count * OP_BYTES;
  let sequence = base;
  for (let op = plan + PLAN_BYTES; op < end; op = after_span(op), sequence++) {
    // A span on no rows still has one (empty) unit, so that each step has the same sequence numbers.
    const units = units_of_span(plan, op);
    const total = max<u32>(1, units);
    const least: u32 = load<u32>(op, OP_CODE) == CODE_MATMUL ? LEAST_PANELS : 1;
    let begin = claim_chunk(plan, sequence, total, threads, least);
    while (begin >= 0) {
      const size = chunk_size(total - begin, threads, least);
      run_span(plan, op, scratch, begin, min<u32>(units, begin + size));
      finish_chunk(plan, sequence, size, total);
      begin = claim_chunk(plan, sequence, total, threads, least);
    }
    if (!wait_for_span(plan, sequence)) return false;
  }
  return true;
}

function after_span(op: usize): usize {
  return op + (1 + load<u32>(op, OP_FOLLOWERS)) * OP_BYTES;
}

function units_of_span(plan: usize, op: usize): u32 {
  if (load<u32>(op, OP_CODE) != CODE_MATMUL) return units_of(plan, op);
  let units: u32 = 0;
  for (const end = after_span(op); op < end; op += OP_BYTES) units += units_of(plan, op);
  return units;
}

/** Units [begin, end) of a span: of matmuls one after the other, or of all its row-wise ops. */
function run_span(plan: usize, op: usize, scratch: usize, begin: u32, end: u32): void {
  const isMatmul = load<u32>(op, OP_CODE) == CODE_MATMUL;
  for (const last = after_span(op); op < last; op += OP_BYTES) {
    if (!isMatmul) {
      run_op(plan, op, scratch, begin, end);
      continue;
    }
    const units = units_of(plan, op);
    if (begin < units && begin < end) run_op(plan, op, scratch, begin, min<u32>(units, end));
    begin = begin > units ? begin - units : 0;
    end = end > units ? end - units : 0;
  }
}

/** Pieces of work the op may be cut into. */
function units_of(plan: usize, op: usize): u32 {
  const rows = rows_of(plan, op);
  const code = load<u32>(op, OP_CODE);
  if (code == CODE_MATMUL) return rows ? (load<u32>(op, OP_N) + PANEL - 1) / PANEL : 0;
  if (code == CODE_SDPA) return rows * load<u32>(op, OP_KV_HEADS);
  return rows;
}
