// Byte offsets of everything the core reads that JavaScript writes: plan header, rows and ops.
// Plain TypeScript too: bindings/ imports this very file, so the two sides cannot drift apart.
// All fields are u32 unless said; addresses are bytes in the core's memory.
//
//   plan    | header | op 0 | op 1 | ...          ops are OP_BYTES each, in the order they run
//   weight  | header | panel 0 | panel 1 | ...    a packed matrix; panels as its kernel draws them
//   rows    | row 0 | row 1 | ...                 one per row of the step, ROW_BYTES each
//   logits  | i of the first row whose logits are wanted | ... (u32 each)

// Plan header. The words that threads fight over have a cache line each.
export const PLAN_CLAIM = 0; // u64: span sequence number << 32 | next unit of that span
export const PLAN_DONE = 64; // units of that span that are finished
export const PLAN_WAITERS = 128; // threads asleep on PLAN_CLAIM
export const PLAN_STEP = 192; // steps started; idle workers sleep on it
export const PLAN_STOP = 196; // 1: workers leave their loop
export const PLAN_BASE = 200; // sequence number of the step's first span
export const PLAN_JOINED = 204; // two words: a bit for each worker that has begun to take part
export const PLAN_OP_COUNT = 212;
export const PLAN_ROW_COUNT = 216;
export const PLAN_LOGIT_COUNT = 220;
export const PLAN_ROWS = 224; // address of the rows
export const PLAN_LOGIT_ROWS = 228; // address of the logit row list
export const PLAN_SCRATCH = 232; // address of thread 0's scratch
export const PLAN_SCRATCH_BYTES = 236; // per thread
export const PLAN_THREADS = 240; // threads that run the plan
export const PLAN_BYTES = 256;

// A row of the step.
export const ROW_TOKEN = 0;
export const ROW_POSITION = 4;
export const ROW_PAGES = 8; // address of the page table: u32 page addresses
export const ROW_BYTES = 16;

/** Positions in a KV page, and keys in a softmax tile. */
export const PAGE_POSITIONS = 32;
/** Positions whose partial attention is merged into the whole, in ascending order. */
export const SEGMENT_POSITIONS = 256;
/** Block of an int8 activation row: values along k that share a scale. */
export const BLOCK = 32;
/** Output rows interleaved in a packed matrix. */
export const PANEL = 8;

// An op: its code, whether it runs on all rows or on the logit rows, then the fields of its kind.
export const OP_CODE = 0;
export const OP_ON_LOGIT_ROWS = 4;
export const OP_OUT = 8; // address of the output buffer
export const OP_X = 12; // address of the first input
export const OP_Y = 16; // address of the second input
export const OP_WEIGHT = 20; // address of the packed weight
export const OP_N = 24; // output width
export const OP_K = 28; // input width
export const OP_DTYPE = 32; // DTYPE_* of the KV cache
export const OP_SCALES = 36; // address of activation scales f32 [rows, blocks]
export const OP_SUMS = 40; // address of activation block sums i32 [rows, blocks]
export const OP_HEADS = 44;
export const OP_KV_HEADS = 48;
export const OP_HEAD_DIM = 52;
export const OP_LAYER_OFFSET = 56; // of the layer within a KV page
export const OP_WINDOW = 60; // 0: whole context
export const OP_FLOAT = 64; // f32: eps of rms_norm, scale of sdpa
export const OP_INTERLEAVED = 68; // rope pairs: 1 (2i, 2i + 1), 0 (i, i + d / 2)
export const OP_FOLLOWERS = 72; // ops after this one that belong to its span (run_plan.ts)
export const OP_BYTES = 76;

export const CODE_EMBED = 1;
export const CODE_ROPE_ANGLES = 2;
export const CODE_RMS_NORM = 3;
export const CODE_QUANTIZE_ROWS = 4;
export const CODE_MATMUL = 5;
export const CODE_ROPE = 6;
export const CODE_KV_UPDATE = 7;
export const CODE_SDPA = 8;
export const CODE_ADD = 9;
export const CODE_SILU_MUL = 10;
export const CODE_SELECT_ROWS = 11;

// Header of a packed matrix. Panels or, for KERNEL_CODES*, tables begin PACKED_BYTES behind its address.
export const PACKED_KERNEL = 0; // KERNEL_*
export const PACKED_DTYPE = 4; // DTYPE_* of floats, or of scales and biases
export const PACKED_HAS_BIAS = 8; // 1: a bias lies beside every scale
export const PACKED_BITS = 12; // of a code
export const PACKED_GROUP = 16; // weights along k that share a scale; 0: a row
export const PACKED_SCALE_ROWS = 20; // rows that share a scale in the file; 0: all
export const PACKED_PANEL = 24; // bytes of a panel
export const PACKED_CODES = 28; // where in a record its codes begin, behind its scales and biases; 0: it has none
export const PACKED_FIRST = 32; // where the first panel begins: behind the header and a palette's tables
export const PACKED_TABLE = 36; // bytes of a palette's table; 0: codes are no indices
export const PACKED_TABLE_ROWS = 40; // rows that share a table; 0: all
export const PACKED_MATVEC = 44; // of KERNEL_CODES: bits of the matvec that runs one row; 0: the tile does
export const PACKED_ENTRY = 48; // DTYPE_* of a value in a table
export const PACKED_DIM = 52; // values of an entry: rows of which one index gives the values
export const PACKED_U7 = 56; // of KERNEL_CODES: 1: codes, or entries + 64, are 0 to 127
export const PACKED_OUTLIERS = 60; // where the outliers stand (kernels/add_outliers.ts); 0: there are none
export const PACKED_RECORD = 64; // of KERNEL_CODES*: bytes of a record of a panel
export const PACKED_RECORD_GROUPS = 68; // groups whose scales it has
export const PACKED_RECORD_BLOCKS = 72; // blocks of codes that it has
export const PACKED_NONZEROS = 76; // where the non-zeros of a sparse matrix begin; 0: every weight has a code
export const PACKED_LEVELS = 80; // of scales: 1, or 2 with steps that a record's groups share
export const PACKED_BYTES = 128;

/** Codes that codes.ts keeps together, those of 8 rows x 32 k; a sparse panel has whole ones of non-zeros. */
export const BLOCK_CODES = 256;
/** Behind the mask of a sparse panel: where its non-zeros end, in the last word. */
export const SPARSE_TAIL = 16;

/** Scratch that kernels unpack 8 rows x 32 k to, as bytes, with the scales and biases of 8 rows as f32. */
export const TILE_BYTES = 320;
/** Scratch that kernels unpack as many to, as f32 (kernels/float_tile.ts). */
export const FLOAT_TILE_BYTES = 1728;

/** Scratch of the kernels of sparse weights, before the sums of m rows. */
export const SPARSE_BYTES = 1152;

export const KERNEL_FLOAT = 0;
export const KERNEL_Q4 = 1;
export const KERNEL_Q8 = 2;
export const KERNEL_LUT4 = 3;
export const KERNEL_CODES = 4;
export const KERNEL_CODES_FLOAT = 5;
export const KERNEL_SPARSE = 6;
export const KERNEL_SPARSE_FLOAT = 7;

export const DTYPE_F32 = 0;
export const DTYPE_F16 = 1;
export const DTYPE_BF16 = 2;
export const DTYPE_INT8 = 3;
