// 1-bit codes (RaBitQ, Gao and Long 2024): rotating vectors, writing the codes of postings, and estimating
// scores from them, each with the size of its error.
//
// With r = x − c the residual of a row in its cluster, all rotated, s = sign(r) and f = ‖r‖² / Σ|r_i|,
// the number f · Σ s_i · y_i is an estimate of the inner product of r and y. It has no bias, and its error
// has a standard deviation of f · 0.603 · ‖y‖ or less, because a random rotation makes the part of y that is
// orthogonal to r lie anyhow to s. For y a query is taken less its share along c, for which the terms of an
// entry make up exactly; what remains of y is small where it matters.
//
// A block holds 16 entries: rows u32[16] · terms u32[16] · for every 8 dimensions 16 bytes, bit i of byte e
// the sign of dimension i of entry e. A term is f, rounded to the upper half of an f32, above t, rounded
// alike. Sums are looked up: 4 dimensions are 16 cases, whose sums over a query of ±63 fit a byte, so the
// integers are the same in both binaries.

const TERMS_AT: usize = 64;
const CODES_AT: usize = 128;
const PADDING: u32 = 0xffffffff;
/** Groups of 8 dimensions whose sums, of at most 2 · 252 each, fit 16 bits. */
const GROUPS_PER_SUM: u32 = 128;
const QUERY_MAX: f32 = 63;
/** Relative error of t. */
const TERM_ERROR: f32 = 0.0012;

/**
 * Rotates `size` floats in place, `size` a multiple of 8: per round random signs, a Walsh–Hadamard transform
 * of `power` floats, the greatest power of two within `size`, at the begin or the end by turns, and then of
 * the two halves with each other. `signs`: `rounds` × `size` f32, ±1 / √(2 · power), which keeps the length.
 */
export function rotate(vector: usize, signs: usize, size: u32, power: u32, rounds: u32): void {
  const bytes = (<usize>size) << 2;
  for (let round: u32 = 0; round < rounds; round++) {
    const from = signs + <usize>round * bytes;
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(vector + i, f32x4.mul(v128.load(vector + i), v128.load(from + i)));
    }
    const skipped = (round & 1) != 0 ? <usize>(size - power) << 2 : 0;
    const other = (round & 1) != 0 ? vector : vector + ((<usize>power) << 2);
    hadamard(vector + skipped, (<usize>power) << 2);
    const left = bytes - ((<usize>power) << 2);
    scaleBy(other, left, f32(Math.sqrt(<f64>power)));
    butterfly(vector, bytes >> 1);
  }
}

/** What the transform did not reach keeps its length all the same. */
function scaleBy(at: usize, bytes: usize, factor: f32): void {
  const factors = f32x4.splat(factor);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(at + i, f32x4.mul(v128.load(at + i), factors));
}

// @ts-ignore: decorator
@inline
function butterfly(at: usize, half: usize): void {
  for (let i: usize = 0; i < half; i += 16) {
    const x = v128.load(at + i);
    const y = v128.load(at + half + i);
    v128.store(at + i, f32x4.add(x, y));
    v128.store(at + half + i, f32x4.sub(x, y));
  }
}

function hadamard(at: usize, bytes: usize): void {
  const second = f32x4(1, -1, 1, -1);
  const upper = f32x4(1, 1, -1, -1);
  for (let i: usize = 0; i < bytes; i += 16) {
    let v = v128.load(at + i);
    v = f32x4.add(f32x4.mul(v, second), v128.shuffle<i32>(v, v, 1, 0, 3, 2));
    v = f32x4.add(f32x4.mul(v, upper), v128.shuffle<i32>(v, v, 2, 3, 0, 1));
    v128.store(at + i, v);
  }
  for (let half: usize = 16; half < bytes; half <<= 1) {
    for (let i: usize = 0; i < bytes; i += half << 1) butterfly(at + i, half);
  }
}

/** `out` = `weight` · source − centre (0: none), then zeros up to `size` floats. `groups`: of 4 floats. */
export function loadRow(source: usize, weight: f32, centre: usize, groups: u32, size: u32, out: usize): void {
  const weights = f32x4.splat(weight);
  const bytes = (<usize>groups) << 4;
  for (let i: usize = 0; i < bytes; i += 16) {
    let v = f32x4.mul(v128.load(source + i), weights);
    if (centre != 0) v = f32x4.sub(v, v128.load(centre + i));
    v128.store(out + i, v);
  }
  memory.fill(out + bytes, 0, ((<usize>size) << 2) - bytes);
}

/**
 * Writes the codes of a posting of `count` blocks at `out`. Its entries are those of the byte codes at
 * `codes`, `codeBytes` a block. Row `r` is `raw + r · 16 · groups`, times its factor (`factors` 0: as it is),
 * less `centre` (0: none). `c`: the rotated centroid; `work`: `size` floats. `kappa` not 0: t makes up for
 * −‖x − c‖²/2 instead of for (x − c)·c.
 */
export function encodeBits(
  codes: usize,
  codeBytes: u32,
  count: u32,
  raw: usize,
  factors: usize,
  centre: usize,
  groups: u32,
  c: usize,
  signs: usize,
  size: u32,
  power: u32,
  rounds: u32,
  kappa: f32,
  work: usize,
  out: usize,
): void {
  let block = out;
  let source = codes;
  memory.fill(out, 0, <usize>count * (CODES_AT + ((<usize>size) << 1)));
  for (let i: u32 = 0; i < count; i++) {
    for (let lane: usize = 0; lane < 16; lane++) {
      const row = load<u32>(source + (lane << 2));
      store<u32>(block + (lane << 2), row);
      if (row == PADDING) continue;
      const weight = factors == 0 ? <f32>1 : load<f32>(factors + ((<usize>row) << 2));
      loadRow(raw + <usize>row * ((<usize>groups) << 4), weight, centre, groups, size, work);
      rotate(work, signs, size, power, rounds);
      encodeEntry(work, c, size, kappa, block, lane);
    }
    block += CODES_AT + ((<usize>size) << 1);
    source += codeBytes;
  }
}

function encodeEntry(x: usize, c: usize, size: u32, kappa: f32, block: usize, lane: usize): void {
  const bytes = (<usize>size) << 2;
  let squares = f32x4.splat(0);
  let sizes = f32x4.splat(0);
  let along = f32x4.splat(0);
  let signed = f32x4.splat(0);
  let code = block + CODES_AT + lane;
  for (let i: usize = 0; i < bytes; i += 32) {
    let bits = 0;
    for (let half: usize = 0; half < 32; half += 16) {
      const centre = v128.load(c + i + half);
      const r = f32x4.sub(v128.load(x + i + half), centre);
      const negative = f32x4.lt(r, f32x4.splat(0));
      squares = f32x4.add(squares, f32x4.mul(r, r));
      sizes = f32x4.add(sizes, f32x4.abs(r));
      along = f32x4.add(along, f32x4.mul(r, centre));
      signed = f32x4.add(signed, v128.bitselect(f32x4.neg(centre), centre, negative));
      bits |= (i32x4.bitmask(negative) ^ 15) << (<i32>(half >> 2));
    }
    store<u8>(code, <u8>bits);
    code += 16;
  }
  const square = sumLanes(squares);
  const size1 = sumLanes(sizes);
  const f = size1 > 0 ? upperHalf(square / size1) : <f32>0;
  let t: f32 = 0;
  if (f > 0) t = kappa == 0 ? sumLanes(along) / f : kappa * f - square / (f + f);
  if (f > 0) t = upperHalf(t - sumLanes(signed));
  store<u32>(block + TERMS_AT + (lane << 2), reinterpret<u32>(f) | (reinterpret<u32>(t) >> 16));
}

/** The nearest f32 whose lower 16 bits are zero. */
// @ts-ignore: decorator
@inline
function upperHalf(value: f32): f32 {
  return reinterpret<f32>((reinterpret<u32>(value) + 0x8000) & 0xffff0000);
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/**
 * Tables of a rotated query of `size` floats: 16 bytes for every 4 dimensions, the sums of the rounded query
 * over each choice of them, less the least. Behind them: factor f32 · shift f32, so that Σ s_i · y_i is
 * factor · sum + shift.
 */
export function bitTables(query: usize, size: u32, tables: usize): void {
  const bytes = (<usize>size) << 2;
  let largest = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) largest = f32x4.max(largest, f32x4.abs(v128.load(query + i)));
  const most = max<f32>(
    max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  const inverse: f32 = most > 0 ? QUERY_MAX / most : 0;
  let least = 0;
  let total = 0;
  for (let i: usize = 0; i < bytes; i += 16) {
    const q = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(query + i), f32x4.splat(inverse))));
    const q0 = i32x4.extract_lane(q, 0);
    const q1 = i32x4.extract_lane(q, 1);
    const q2 = i32x4.extract_lane(q, 2);
    const q3 = i32x4.extract_lane(q, 3);
    const low = min<i32>(q0, 0) + min<i32>(q1, 0) + min<i32>(q2, 0) + min<i32>(q3, 0);
    least += low;
    total += q0 + q1 + q2 + q3;
    for (let choice = 0; choice < 16; choice++) {
      const sum = (choice & 1) * q0 + ((choice >> 1) & 1) * q1 + ((choice >> 2) & 1) * q2 + (choice >> 3) * q3;
      store<u8>(tables + i + <usize>choice, <u8>(sum - low));
    }
  }
  const factor = most / QUERY_MAX;
  store<f32>(tables + bytes, factor * <f32>2);
  const offset: i32 = least * 2 - total;
  store<f32>(tables + bytes, factor * <f32>offset, 4);
}

/** The byte of `table` that each index, 0 to 15, names. */
// @ts-ignore: decorator
@inline
function pick(table: v128, indices: v128): v128 {
  // @ts-ignore: a constant that the build defines; the branch not taken is not compiled.
  if (RELAXED) return i8x16.relaxed_swizzle(table, indices);
  else return i8x16.swizzle(table, indices);
}

// @ts-ignore: decorator
@inline
function hasBit(bitmap: usize, row: u32): bool {
  return ((load<u8>(bitmap + (row >> 3)) >> (<u8>(row & 7))) & 1) != 0;
}

/**
 * Estimates the scores of the entries of `count` blocks: with D the looked-up sum, f and t of the entry,
 * estimate = base + f · (factor · D + shift + weight · t − kappa · f) and deviation = f · (error + |weight ·
 * t| · 0.0012). Entries whose estimate and `slack` deviations reach `floor` are written to `out`, 16 bytes
 * each: row u32 · estimate f32 · deviation f32 · zero, unless their row is deleted or not allowed (bitmaps, 0
 * for none). Returns how many were written.
 */
export function scanBits(
  blocks: usize,
  count: u32,
  groups: u32,
  tables: usize,
  factor: f32,
  shift: f32,
  weight: f32,
  kappa: f32,
  base: f32,
  error: f32,
  slack: f32,
  floor: f32,
  deleted: usize,
  allow: usize,
  out: usize,
): u32 {
  let to = out;
  let block = blocks;
  for (let i: u32 = 0; i < count; i++) {
    let a = i32x4.splat(0);
    let b = i32x4.splat(0);
    let c = i32x4.splat(0);
    let d = i32x4.splat(0);
    let at = block + CODES_AT;
    let table = tables;
    for (let group: u32 = 0; group < groups; group += GROUPS_PER_SUM) {
      const end = at + ((<usize>min<u32>(GROUPS_PER_SUM, groups - group)) << 4);
      let whole = i16x8.splat(0);
      let high = i16x8.splat(0);
      for (; at < end; at += 16) {
        const codes = v128.load(at);
        const low4 = v128.and(codes, i8x16.splat(15));
        const high4 = v128.and(i16x8.shr_u(codes, 4), i8x16.splat(15));
        const first = pick(v128.load(table), low4);
        const second = pick(v128.load(table, 16), high4);
        table += 32;
        // 16-bit sums of byte pairs, and of their upper bytes alone: the difference is that of the lower.
        whole = i16x8.add(whole, i16x8.add(first, second));
        high = i16x8.add(high, i16x8.add(i16x8.shr_u(first, 8), i16x8.shr_u(second, 8)));
      }
      const even = i16x8.sub(whole, i16x8.shl(high, 8));
      const low = v128.shuffle<i16>(even, high, 0, 8, 1, 9, 2, 10, 3, 11);
      const up = v128.shuffle<i16>(even, high, 4, 12, 5, 13, 6, 14, 7, 15);
      a = i32x4.add(a, i32x4.extend_low_i16x8_u(low));
      b = i32x4.add(b, i32x4.extend_high_i16x8_u(low));
      c = i32x4.add(c, i32x4.extend_low_i16x8_u(up));
      d = i32x4.add(d, i32x4.extend_high_i16x8_u(up));
    }
    for (let lane: usize = 0; lane < 64; lane += 16) {
      const sums = lane == 0 ? a : lane == 16 ? b : lane == 32 ? c : d;
      const terms = v128.load(block + TERMS_AT + lane);
      const f = v128.and(terms, i32x4.splat(<i32>0xffff0000));
      const t = f32x4.mul(i32x4.shl(terms, 16), f32x4.splat(weight));
      let inner = f32x4.add(f32x4.mul(f32x4.convert_i32x4_u(sums), f32x4.splat(factor)), f32x4.splat(shift));
      inner = f32x4.sub(f32x4.add(inner, t), f32x4.mul(f, f32x4.splat(kappa)));
      const estimate = f32x4.add(f32x4.mul(f, inner), f32x4.splat(base));
      const spread = f32x4.add(f32x4.mul(f32x4.abs(t), f32x4.splat(TERM_ERROR)), f32x4.splat(error));
      const deviation = f32x4.mul(f, spread);
      const upper = f32x4.add(estimate, f32x4.mul(deviation, f32x4.splat(slack)));
      // Not "at least": what is not a number, of rows near the greatest lengths, is never left out.
      const below = i32x4.bitmask(f32x4.lt(upper, f32x4.splat(floor)));
      if (below != 15) to = writeLanes(block + lane, below, estimate, deviation, deleted, allow, to);
    }
    block += CODES_AT + ((<usize>groups) << 4);
  }
  return <u32>((to - out) >> 4);
}

function writeLanes(
  rows: usize,
  below: i32,
  estimate: v128,
  deviation: v128,
  deleted: usize,
  allow: usize,
  out: usize,
): usize {
  let to = out;
  for (let lane = 0; lane < 4; lane++) {
    const row = load<u32>(rows + ((<usize>lane) << 2));
    if (((below >> lane) & 1) != 0 || row == PADDING) continue;
    if (deleted != 0 && hasBit(deleted, row)) continue;
    if (allow != 0 && !hasBit(allow, row)) continue;
    store<u32>(to, row);
    store<f32>(to, laneOf(estimate, lane), 4);
    store<f32>(to, laneOf(deviation, lane), 8);
    store<u32>(to, 0, 12);
    to += 16;
  }
  return to;
}

// @ts-ignore: decorator
@inline
function laneOf(v: v128, lane: i32): f32 {
  if (lane == 0) return f32x4.extract_lane(v, 0);
  if (lane == 1) return f32x4.extract_lane(v, 1);
  return lane == 2 ? f32x4.extract_lane(v, 2) : f32x4.extract_lane(v, 3);
}

/**
 * What the estimates of a posting need of its centroid, which lies coded in a block of two terms. Writes f64
 * at `out`: `mode` 0: q·c and c·c; 1: ‖q − c‖² and 0; c is with `mode` 1 counted from the quantizer's centre,
 * and so must q be.
 */
export function anchorTerms(
  mode: u32,
  query: usize,
  block: usize,
  lane: u32,
  centres: usize,
  steps: usize,
  groups: u32,
  out: usize,
): void {
  let first: f64 = 0;
  let second: f64 = 0;
  const scale = load<f32>(block + 64 + ((<usize>lane) << 2));
  for (let d: usize = 0; d < (<usize>groups) << 2; d++) {
    const c = anchorValue(block, lane, scale, mode == 0 ? centres : 0, steps, d);
    const q = <f64>load<f32>(query + (d << 2));
    if (mode == 0) {
      first += q * c;
      second += c * c;
    } else {
      first += (q - c) * (q - c);
    }
  }
  store<f64>(out, first);
  store<f64>(out, second, 8);
}

/** A coded centroid as floats, counted from `centres` unless that is 0; zeros up to `size` floats. */
export function anchorRow(
  block: usize,
  lane: u32,
  centres: usize,
  steps: usize,
  groups: u32,
  size: u32,
  out: usize,
): void {
  const scale = load<f32>(block + 64 + ((<usize>lane) << 2));
  for (let d: usize = 0; d < <usize>size; d++) {
    const inside = d < (<usize>groups) << 2;
    store<f32>(out + (d << 2), inside ? <f32>anchorValue(block, lane, scale, centres, steps, d) : 0);
  }
}

// @ts-ignore: decorator
@inline
function anchorValue(block: usize, lane: u32, scale: f32, centres: usize, steps: usize, d: usize): f64 {
  const code = <i32>load<u8>(block + 192 + ((d >> 2) << 6) + ((<usize>lane) << 2) + (d & 3)) - 64;
  const value = <f64>code * <f64>scale * <f64>load<f32>(steps + (d << 2));
  return centres == 0 ? value : value + <f64>load<f32>(centres + (d << 2));
}
