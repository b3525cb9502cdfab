// 7-bit codes: writing them, and scoring blocks of them against a query.
//
// A block holds 16 entries: rows u32[16] · scales f32[16] and halves f32[16] when `terms` is 2, scales alone
// when it is 1 · then for every group of 4 dimensions 16 × 4 code bytes. So a 32-bit lane holds 4 dimensions
// of one entry, and the 8×7-bit dot product adds them up in the lane: no entry needs a horizontal sum, and no
// dimension is padded beyond a multiple of 4. A code byte is 64 + round((x − centre) / step), limited to
// 0..127. The query is rounded to signed 8 bits, ±127. The sum of two products is at most 32 258, so the
// 16-bit intermediate never saturates and both binaries give the same integers.

import { offer } from './select';

export const LANES: usize = 16;
const ROWS_BYTES: usize = 64;
const GROUP_BYTES: usize = 64;
const CODE_ZERO: i32 = 64;
const PADDING: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
export function blockBytes(groups: u32, terms: u32): usize {
  return ROWS_BYTES * (1 + terms) + GROUP_BYTES * groups;
}

/** Adds, per 32-bit lane, the dot product of 4 signed query bytes with 4 code bytes. */
// @ts-ignore: decorator
@inline
function dot4(query: v128, codes: v128, sum: v128): v128 {
  // @ts-ignore: a constant that the build defines; the branch not taken is not compiled.
  if (RELAXED) {
    return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(query, codes), i16x8.splat(1)));
  } else {
    const low = i16x8.extmul_low_i8x16_s(query, codes);
    const high = i16x8.extmul_high_i8x16_s(query, codes);
    const even = v128.shuffle<i16>(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
    const odd = v128.shuffle<i16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
    return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.add(even, odd), i16x8.splat(1)));
  }
}

// @ts-ignore: decorator
@inline
function scaled(sum: v128, shift: v128, factor: v128, block: usize, terms: u32, lane: usize): v128 {
  if (terms == 0) return f32x4.convert_i32x4_s(sum);
  const dot = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(sum, shift)), factor);
  const product = f32x4.mul(dot, v128.load(block + ROWS_BYTES + lane * 4));
  if (terms == 1) return product;
  return f32x4.sub(product, v128.load(block + ROWS_BYTES * 2 + lane * 4));
}

function offerLanes(collector: usize, scores: v128, mask: i32, rows: usize): void {
  if (mask & 1) offerLane(collector, f32x4.extract_lane(scores, 0), load<u32>(rows));
  if (mask & 2) offerLane(collector, f32x4.extract_lane(scores, 1), load<u32>(rows, 4));
  if (mask & 4) offerLane(collector, f32x4.extract_lane(scores, 2), load<u32>(rows, 8));
  if (mask & 8) offerLane(collector, f32x4.extract_lane(scores, 3), load<u32>(rows, 12));
}

// @ts-ignore: decorator
@inline
function offerLane(collector: usize, score: f32, row: u32): void {
  if (row != PADDING && score > load<f32>(collector)) offer(collector, score, row);
}

/**
 * Offers every entry of `count` blocks. `query`: 4 signed bytes per group; `factor` and `shift` as
 * `quantizeQuery` wrote them behind the query. With `terms` 0 the score is the bare integer, which orders the
 * entries of one segment just the same.
 */
export function scanBlocks(
  blocks: usize,
  count: u32,
  groups: u32,
  terms: u32,
  query: usize,
  factor: f32,
  shift: i32,
  collector: usize,
): void {
  const bytes = blockBytes(groups, terms);
  const head = ROWS_BYTES * (1 + terms);
  const factors = f32x4.splat(factor);
  const shifts = i32x4.splat(shift);
  const queryEnd = query + ((<usize>groups) << 2);
  let block = blocks;
  for (let i: u32 = 0; i < count; i++) {
    let s0 = i32x4.splat(0);
    let s1 = i32x4.splat(0);
    let s2 = i32x4.splat(0);
    let s3 = i32x4.splat(0);
    let at = block + head;
    for (let q = query; q < queryEnd; q += 4) {
      const values = v128.load32_splat(q);
      s0 = dot4(values, v128.load(at), s0);
      s1 = dot4(values, v128.load(at, 16), s1);
      s2 = dot4(values, v128.load(at, 32), s2);
      s3 = dot4(values, v128.load(at, 48), s3);
      at += GROUP_BYTES;
    }
    s0 = scaled(s0, shifts, factors, block, terms, 0);
    s1 = scaled(s1, shifts, factors, block, terms, 4);
    s2 = scaled(s2, shifts, factors, block, terms, 8);
    s3 = scaled(s3, shifts, factors, block, terms, 12);
    const threshold = v128.load32_splat(collector);
    const m0 = f32x4.gt(s0, threshold);
    const m1 = f32x4.gt(s1, threshold);
    const m2 = f32x4.gt(s2, threshold);
    const m3 = f32x4.gt(s3, threshold);
    if (v128.any_true(v128.or(v128.or(m0, m1), v128.or(m2, m3)))) {
      offerLanes(collector, s0, i32x4.bitmask(m0), block);
      offerLanes(collector, s1, i32x4.bitmask(m1), block + 16);
      offerLanes(collector, s2, i32x4.bitmask(m2), block + 32);
      offerLanes(collector, s3, i32x4.bitmask(m3), block + 48);
    }
    block += bytes;
  }
}

/**
 * Scans `count` postings, listed by number (u32 each). `table`: first block of every posting and one more.
 * Returns blocks scanned.
 */
export function scanPostings(
  blocks: usize,
  table: usize,
  list: usize,
  count: u32,
  groups: u32,
  terms: u32,
  query: usize,
  factor: f32,
  shift: i32,
  collector: usize,
): u32 {
  const bytes = blockBytes(groups, terms);
  let scanned: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const entry = table + ((<usize>load<u32>(list + (i << 2))) << 2);
    const first = load<u32>(entry);
    const blocksHere = load<u32>(entry, 4) - first;
    scanBlocks(blocks + <usize>first * bytes, blocksHere, groups, terms, query, factor, shift, collector);
    scanned += blocksHere;
  }
  return scanned;
}

/**
 * Scans `count` pieces of postings that lie anywhere: pairs of u32, the address of the first block and the
 * number of blocks. Returns blocks scanned.
 */
export function scanPieces(
  pieces: usize,
  count: u32,
  groups: u32,
  terms: u32,
  query: usize,
  factor: f32,
  shift: i32,
  collector: usize,
): u32 {
  let scanned: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const piece = pieces + (i << 3);
    const blocks = load<u32>(piece, 4);
    scanBlocks(<usize>load<u32>(piece), blocks, groups, terms, query, factor, shift, collector);
    scanned += blocks;
  }
  return scanned;
}

/**
 * Number of the first of the best-scoring entries among `count` blocks; padding entries must score lowest.
 * Blocks have two terms.
 */
export function bestEntry(
  blocks: usize,
  count: u32,
  groups: u32,
  query: usize,
  factor: f32,
  shift: i32,
): u32 {
  const bytes = blockBytes(groups, 2);
  const factors = f32x4.splat(factor);
  const shifts = i32x4.splat(shift);
  const queryEnd = query + ((<usize>groups) << 2);
  let best = f32x4.splat(-Infinity);
  let bestIndex = i32x4.splat(0);
  let index = i32x4(0, 1, 2, 3);
  const four = i32x4.splat(4);
  let block = blocks;
  for (let i: u32 = 0; i < count; i++) {
    let s0 = i32x4.splat(0);
    let s1 = i32x4.splat(0);
    let s2 = i32x4.splat(0);
    let s3 = i32x4.splat(0);
    let at = block + ROWS_BYTES * 3;
    for (let q = query; q < queryEnd; q += 4) {
      const values = v128.load32_splat(q);
      s0 = dot4(values, v128.load(at), s0);
      s1 = dot4(values, v128.load(at, 16), s1);
      s2 = dot4(values, v128.load(at, 32), s2);
      s3 = dot4(values, v128.load(at, 48), s3);
      at += GROUP_BYTES;
    }
    s0 = scaled(s0, shifts, factors, block, 2, 0);
    let better = f32x4.gt(s0, best);
    best = v128.bitselect(s0, best, better);
    bestIndex = v128.bitselect(index, bestIndex, better);
    index = i32x4.add(index, four);
    s1 = scaled(s1, shifts, factors, block, 2, 4);
    better = f32x4.gt(s1, best);
    best = v128.bitselect(s1, best, better);
    bestIndex = v128.bitselect(index, bestIndex, better);
    index = i32x4.add(index, four);
    s2 = scaled(s2, shifts, factors, block, 2, 8);
    better = f32x4.gt(s2, best);
    best = v128.bitselect(s2, best, better);
    bestIndex = v128.bitselect(index, bestIndex, better);
    index = i32x4.add(index, four);
    s3 = scaled(s3, shifts, factors, block, 2, 12);
    better = f32x4.gt(s3, best);
    best = v128.bitselect(s3, best, better);
    bestIndex = v128.bitselect(index, bestIndex, better);
    index = i32x4.add(index, four);
    block += bytes;
  }
  return bestOfLanes(best, bestIndex);
}

function bestOfLanes(scores: v128, indices: v128): u32 {
  let score = f32x4.extract_lane(scores, 0);
  let index = <u32>i32x4.extract_lane(indices, 0);
  const s1 = f32x4.extract_lane(scores, 1);
  const i1 = <u32>i32x4.extract_lane(indices, 1);
  if (s1 > score || (s1 == score && i1 < index)) {
    score = s1;
    index = i1;
  }
  const s2 = f32x4.extract_lane(scores, 2);
  const i2 = <u32>i32x4.extract_lane(indices, 2);
  if (s2 > score || (s2 == score && i2 < index)) {
    score = s2;
    index = i2;
  }
  const s3 = f32x4.extract_lane(scores, 3);
  const i3 = <u32>i32x4.extract_lane(indices, 3);
  if (s3 > score || (s3 == score && i3 < index)) index = i3;
  return index;
}

/**
 * Rounds `weight · (query − centre) · step` (without the centre when `centres` is 0) to signed bytes at
 * `out`, so that its dot product with (code − 64) is that of the query with the coded part of a row, up to
 * the factor. Behind the bytes: factor f32 · shift i32.
 */
export function quantizeQuery(
  query: usize,
  weight: f32,
  centres: usize,
  steps: usize,
  groups: u32,
  out: usize,
): void {
  const weights = f32x4.splat(weight);
  const bytes = (<usize>groups) << 4;
  let largest = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    largest = f32x4.max(largest, f32x4.abs(weighted(query, weights, centres, steps, i)));
  }
  const max = maxLane(largest);
  const inverse = f32x4.splat(max > 0 ? <f32>127 / max : <f32>0);
  let sum = i32x4.splat(0);
  let at = out;
  for (let i: usize = 0; i < bytes; i += 16) {
    const rounded = f32x4.nearest(f32x4.mul(weighted(query, weights, centres, steps, i), inverse));
    const words = i32x4.trunc_sat_f32x4_s(rounded);
    sum = i32x4.add(sum, words);
    store<i32>(at, narrow(words));
    at += 4;
  }
  store<f32>(at, max / <f32>127);
  sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  const total = i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1);
  store<i32>(at, total * CODE_ZERO, 4);
}

// @ts-ignore: decorator
@inline
function weighted(query: usize, weights: v128, centres: usize, steps: usize, at: usize): v128 {
  let values = f32x4.mul(v128.load(query + at), weights);
  if (centres != 0) values = f32x4.sub(values, v128.load(centres + at));
  return f32x4.mul(values, v128.load(steps + at));
}

// @ts-ignore: decorator
@inline
function maxLane(values: v128): f32 {
  return max<f32>(
    max<f32>(f32x4.extract_lane(values, 0), f32x4.extract_lane(values, 1)),
    max<f32>(f32x4.extract_lane(values, 2), f32x4.extract_lane(values, 3)),
  );
}

/** The low bytes of 4 words that are within -128..127. */
// @ts-ignore: decorator
@inline
function narrow(words: v128): i32 {
  const halves = i16x8.narrow_i32x4_s(words, words);
  return i32x4.extract_lane(i8x16.narrow_i16x8_s(halves, halves), 0);
}

/**
 * Writes the entries `rows[0..count)` (u32 each) as blocks at `out`. Row `r` is `raw + r · 4 · stride`, times
 * its factor under cosine (`factors` 0: taken as it is). `inverses` are the reciprocal steps. `halves`
 * non-zero: the second term is ‖x − centre‖² / 2, else 0.
 */
export function encodeEntries(
  rows: usize,
  count: u32,
  raw: usize,
  factors: usize,
  centres: usize,
  inverses: usize,
  groups: u32,
  terms: u32,
  halves: u32,
  out: usize,
): void {
  const stride = (<usize>groups) << 4;
  const bytes = blockBytes(groups, terms);
  const head = ROWS_BYTES * (1 + terms);
  const blocks = (count + 15) >> 4;
  memory.fill(out, 0, <usize>blocks * bytes);
  for (let i: u32 = 0; i < blocks << 4; i++) {
    const block = out + <usize>(i >> 4) * bytes;
    const lane = (<usize>(i & 15)) << 2;
    if (i >= count) {
      store<u32>(block + lane, PADDING);
      if (terms == 2) store<f32>(block + ROWS_BYTES * 2 + lane, Infinity);
      continue;
    }
    const row = load<u32>(rows + ((<usize>i) << 2));
    store<u32>(block + lane, row);
    const source = raw + <usize>row * stride;
    const weight = factors == 0 ? <f32>1 : load<f32>(factors + ((<usize>row) << 2));
    let scale: f32 = 1;
    if (terms > 0) {
      scale = entryScale(source, weight, centres, inverses, stride);
      store<f32>(block + ROWS_BYTES + lane, scale);
      if (terms == 2 && halves != 0) {
        store<f32>(block + ROWS_BYTES * 2 + lane, halfNorm(source, weight, centres, stride));
      }
    }
    encodeRow(source, weight, centres, inverses, stride, scale, block + head + lane);
  }
}

function entryScale(source: usize, weight: f32, centres: usize, inverses: usize, stride: usize): f32 {
  const weights = f32x4.splat(weight);
  let largest = f32x4.splat(0);
  for (let i: usize = 0; i < stride; i += 16) {
    const x = f32x4.sub(f32x4.mul(v128.load(source + i), weights), v128.load(centres + i));
    largest = f32x4.max(largest, f32x4.abs(f32x4.mul(x, v128.load(inverses + i))));
  }
  const max = maxLane(largest);
  return max > 0 ? max / <f32>63 : <f32>1;
}

function halfNorm(source: usize, weight: f32, centres: usize, stride: usize): f32 {
  const weights = f32x4.splat(weight);
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < stride; i += 16) {
    const x = f32x4.sub(f32x4.mul(v128.load(source + i), weights), v128.load(centres + i));
    sum = f32x4.add(sum, f32x4.mul(x, x));
  }
  sum = f32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  return (f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1)) / 2;
}

function encodeRow(
  source: usize,
  weight: f32,
  centres: usize,
  inverses: usize,
  stride: usize,
  scale: f32,
  out: usize,
): void {
  const weights = f32x4.splat(weight);
  const inverseScale = f32x4.splat(<f32>1 / scale);
  let at = out;
  for (let i: usize = 0; i < stride; i += 16) {
    const x = f32x4.sub(f32x4.mul(v128.load(source + i), weights), v128.load(centres + i));
    const steps = f32x4.nearest(f32x4.mul(f32x4.mul(x, v128.load(inverses + i)), inverseScale));
    const limited = f32x4.min(f32x4.max(steps, f32x4.splat(-64)), f32x4.splat(63));
    const words = i32x4.add(i32x4.trunc_sat_f32x4_s(limited), i32x4.splat(CODE_ZERO));
    store<i32>(at, narrow(words));
    at += GROUP_BYTES;
  }
}
