// Scalar functions in f64, from IEEE operations only, so that every engine gives the same bits.
// Polynomials are the Taylor series, long enough that the next term is below 1e-15 on the reduced range.

const LN2_HIGH: f64 = 6.9314718036912381649e-1; // low 32 bits zero: n * LN2_HIGH is exact
const LN2_LOW: f64 = 1.90821492927058770002e-10;
const PI_2_HIGH: f64 = 1.57079632673412561417; // first 33 bits of pi / 2
const PI_2_LOW: f64 = 6.07710050650619224932e-11;

/** e^x. Relative error below 1e-15 for |x| <= 700. */
export function exp64(x: f64): f64 {
  if (x > 709.0) return Infinity;
  if (x < -708.0) return 0.0;
  const n = nearest(x * 1.4426950408889634);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let p: f64 = 1.0;
  for (let i = 14; i > 0; i--) p = 1.0 + (p * r) / <f64>i;
  return p * reinterpret<f64>((<i64>n + 1023) << 52);
}

/** Natural logarithm of a positive, normal x: log(2^e m) = e ln 2 + 2 artanh((m - 1) / (m + 1)). */
export function log64(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let e = <i32>(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    e++;
  }
  const s = (m - 1.0) / (m + 1.0);
  const s2 = s * s;
  let sum: f64 = 0.0;
  for (let i = 21; i > 0; i -= 2) sum = sum * s2 + 1.0 / <f64>i;
  return <f64>e * LN2_HIGH + (2.0 * s * sum + <f64>e * LN2_LOW);
}

/** base^exponent for a positive base. */
export function pow64(base: f64, exponent: f64): f64 {
  return exp64(exponent * log64(base));
}

/** sin(x + quadrant * pi / 2); quadrant 1 gives cos. Absolute error below 1e-10 for |x| < 1e6. */
export function sin64(x: f64, quadrant: i32): f64 {
  const n = nearest(x * 0.6366197723675814);
  const r = x - n * PI_2_HIGH - n * PI_2_LOW;
  const r2 = r * r;
  const q = (<i32>n + quadrant) & 3;
  let p: f64 = 1.0;
  if (q & 1) {
    for (let i = 16; i > 0; i -= 2) p = 1.0 - (p * r2) / <f64>(i * (i - 1));
  } else {
    for (let i = 17; i > 1; i -= 2) p = 1.0 - (p * r2) / <f64>(i * (i - 1));
    p *= r;
  }
  return q & 2 ? -p : p;
}
