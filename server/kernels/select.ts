// Collecting the best of many scored rows.
//
// A collector keeps the `keep` best of everything offered to it. Items are signed 64-bit keys: the score,
// made comparable as an integer, above the inverted row number; so a greater key is a better item, and equal
// scores are ordered by ascending row. New items are appended to a buffer; when it is full, a quickselect
// throws away all but the best and raises the threshold that the next item must exceed. That is cheaper than
// a heap: most items that pass are thrown away later, and appending costs almost nothing.
//
// Layout of a collector, in 4-byte words: threshold f32 · count · keep · capacity · seen · deleted · allow ·
// reserved · keys i64[]. `seen`, `deleted` and `allow` are addresses of bitmaps over row numbers, 0 for none:
// a row whose `seen` bit is set was offered before and is ignored (a row stands in two postings), one whose
// `deleted` bit is set or whose `allow` bit is not set, too.

export const KEYS: usize = 32;

const NO_THRESHOLD: f32 = -Infinity;
const INSERTION_SORT_MAX: i32 = 16;

// @ts-ignore: decorator
@inline
export function keyOf(score: f32, row: u32): i64 {
  const bits = reinterpret<i32>(score);
  // Negative floats order backwards as integers: flip all their bits but the sign.
  return ((<i64>(bits ^ ((bits >> 31) & 0x7fffffff))) << 32) | <i64>(<u32>~row);
}

// @ts-ignore: decorator
@inline
export function scoreOfKey(key: i64): f32 {
  const bits = <i32>(key >> 32);
  return reinterpret<f32>(bits ^ ((bits >> 31) & 0x7fffffff));
}

// @ts-ignore: decorator
@inline
export function rowOfKey(key: i64): u32 {
  return ~(<u32>key);
}

/** Empties a collector. `capacity` is the room for keys, more than `keep`. */
export function collectorReset(
  collector: usize,
  keep: u32,
  capacity: u32,
  seen: usize,
  deleted: usize,
  allow: usize,
): void {
  store<f32>(collector, NO_THRESHOLD);
  store<u32>(collector, 0, 4);
  store<u32>(collector, keep, 8);
  store<u32>(collector, capacity, 12);
  store<u32>(collector, <u32>seen, 16);
  store<u32>(collector, <u32>deleted, 20);
  store<u32>(collector, <u32>allow, 24);
  store<u32>(collector, 0, 28);
}

// @ts-ignore: decorator
@inline
function hasBit(bitmap: usize, row: u32): bool {
  return ((load<u8>(bitmap + (row >> 3)) >> (<u8>(row & 7))) & 1) != 0;
}

/** Takes an item whose score exceeds the threshold, unless a bitmap speaks against its row. */
export function offer(collector: usize, score: f32, row: u32): void {
  const allow: usize = load<u32>(collector, 24);
  if (allow != 0 && !hasBit(allow, row)) return;
  const deleted: usize = load<u32>(collector, 20);
  if (deleted != 0 && hasBit(deleted, row)) return;
  const seen: usize = load<u32>(collector, 16);
  if (seen != 0) {
    const at = seen + (row >> 3);
    const byte = load<u8>(at);
    const bit = <u8>1 << (<u8>(row & 7));
    if ((byte & bit) != 0) return;
    store<u8>(at, byte | bit);
  }
  const count = load<u32>(collector, 4);
  store<i64>(collector + KEYS + ((<usize>count) << 3), keyOf(score, row));
  store<u32>(collector, count + 1, 4);
  if (count + 1 == load<u32>(collector, 12)) collectorShrink(collector);
}

/**
 * Throws away all but the best `keep` items and raises the threshold to the worst of them. Returns how many
 * items are held.
 */
export function collectorShrink(collector: usize): u32 {
  const count = load<u32>(collector, 4);
  const keep = load<u32>(collector, 8);
  if (count <= keep) return count;
  const keys = collector + KEYS;
  quickselect(keys, <i32>count, <i32>keep - 1);
  store<u32>(collector, keep, 4);
  store<f32>(collector, scoreOfKey(load<i64>(keys + ((<usize>(keep - 1)) << 3))));
  return keep;
}

/** Shrinks and sorts, best first. Returns how many items are held. */
export function collectorSort(collector: usize): u32 {
  const count = collectorShrink(collector);
  sortKeys(collector + KEYS, 0, <i32>count - 1);
  return count;
}

/**
 * Writes the rows of all items, in their present order, to `rows` (u32 each), and their scores to `scores`
 * unless that is 0.
 */
export function collectorTake(collector: usize, rows: usize, scores: usize): u32 {
  const count = load<u32>(collector, 4);
  const keys = collector + KEYS;
  for (let i: usize = 0; i < <usize>count; i++) {
    const key = load<i64>(keys + (i << 3));
    store<u32>(rows + (i << 2), rowOfKey(key));
    if (scores != 0) store<f32>(scores + (i << 2), scoreOfKey(key));
  }
  return count;
}

// @ts-ignore: decorator
@inline
function keyAt(keys: usize, index: i32): i64 {
  return load<i64>(keys + ((<usize>index) << 3));
}

// @ts-ignore: decorator
@inline
function putKey(keys: usize, index: i32, key: i64): void {
  store<i64>(keys + ((<usize>index) << 3), key);
}

/**
 * Places the pivot of [low, high] by Hoare's scheme, greater keys first. Returns the last index of the left
 * part.
 */
function partition(keys: usize, low: i32, high: i32): i32 {
  const a = keyAt(keys, low);
  const b = keyAt(keys, low + ((high - low) >> 1));
  const c = keyAt(keys, high);
  // Median of three; strictly below the maximum position, so that both parts are smaller than the whole.
  const pivot = a > b ? (b > c ? b : a > c ? c : a) : a > c ? a : b > c ? c : b;
  let i = low - 1;
  let j = high + 1;
  while (true) {
    do i++;
    while (keyAt(keys, i) > pivot);
    do j--;
    while (keyAt(keys, j) < pivot);
    if (i >= j) return j;
    const swap = keyAt(keys, i);
    putKey(keys, i, keyAt(keys, j));
    putKey(keys, j, swap);
  }
}

/** Afterwards the key at `rank` (from 0, descending) is in its place, greater ones before it. */
function quickselect(keys: usize, count: i32, rank: i32): void {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = partition(keys, low, high);
    if (rank <= middle) high = middle;
    else low = middle + 1;
  }
}

/** Descending, in place. */
function sortKeys(keys: usize, from: i32, to: i32): void {
  let low = from;
  let high = to;
  while (high - low >= INSERTION_SORT_MAX) {
    const middle = partition(keys, low, high);
    // The smaller part by recursion, the larger one in this loop: the stack stays logarithmic.
    if (middle - low < high - middle) {
      sortKeys(keys, low, middle);
      low = middle + 1;
    } else {
      sortKeys(keys, middle + 1, high);
      high = middle;
    }
  }
  for (let i = low + 1; i <= high; i++) {
    const key = keyAt(keys, i);
    let j = i - 1;
    while (j >= low && keyAt(keys, j) < key) {
      putKey(keys, j + 1, keyAt(keys, j));
      j--;
    }
    putKey(keys, j + 1, key);
  }
}
