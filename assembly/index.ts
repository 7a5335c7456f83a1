// The exported surface of the core. It imports one memory and nothing else, and never allocates: JavaScript
// lays everything out (op_layout.ts) and passes addresses. Tests and benches run a single kernel, or a part
// of its rows, through run_op.

export { read_all } from './kernels/read_all';
export { softmax } from './kernels/softmax';
export { pow64 } from './math';
export { pack_tensor } from './pack_tensor';
export { run_op } from './run_op';
export { run_plan, run_worker, stop_workers } from './run_plan';
