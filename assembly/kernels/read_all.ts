// Reads memory once, in order: the roofline that a decode kernel is measured against.

/** Sum of the bytes of [at, at + bytes) as u32 lanes; bytes a multiple of 128. */
export function read_all(at: usize, bytes: usize): i32 {
  let a = i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = at + bytes; at < end; at += 128) {
    a = i32x4.add(a, i32x4.add(v128.load(at), v128.load(at, 64)));
    b = i32x4.add(b, i32x4.add(v128.load(at, 16), v128.load(at, 80)));
    c = i32x4.add(c, i32x4.add(v128.load(at, 32), v128.load(at, 96)));
    d = i32x4.add(d, i32x4.add(v128.load(at, 48), v128.load(at, 112)));
  }
  const sum = i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
  return i32x4.extract_lane(sum, 0) ^ i32x4.extract_lane(sum, 1);
}
