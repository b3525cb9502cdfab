/*
 * Orders of rows by keys that JavaScript cannot sort quickly: 64-bit numbers and byte strings, each with a
 * row attached.
 *
 * Methods: least-significant-digit radix sort with 11-bit digits, which is stable and skips digits that are
 * all equal; byte strings are sorted eight bytes at a time, group by group (most significant first), and
 * small groups by comparison. Time grows with the bytes that tell the strings apart and never with the square
 * of their number.
 */
import { compareBytes } from '../record/text.js';

const DIGITS = 1 << 11;
/** Word (0: low, 1: high) and lowest bit of each digit. */
const PASSES = [
  [0, 0],
  [0, 11],
  [0, 22],
  [1, 0],
  [1, 11],
  [1, 22],
] as const;
/** Below this a comparison sort of a group is faster than counting digits. */
const SMALL = 256;

/**
 * Indices 0 to n - 1 in ascending order of the unsigned 64-bit keys (high, low); equal keys keep their order.
 */
export function orderOfKeys(high: Uint32Array, low: Uint32Array): Uint32Array {
  const order = Uint32Array.from(high, (_, index) => index);
  sortByKeys(order, high, low);
  return order;
}

/** Sorts `order`, whose elements are indices into `high` and `low`. */
function sortByKeys(order: Uint32Array, high: Uint32Array, low: Uint32Array): void {
  if (order.length <= SMALL) {
    order.sort(
      (a, b) => (high[a] as number) - (high[b] as number) || (low[a] as number) - (low[b] as number) || a - b,
    );
    return;
  }
  const counts = new Uint32Array(DIGITS);
  let from = order;
  let to: Uint32Array = new Uint32Array(order.length);
  for (const [word, shift] of PASSES) {
    const words = word === 0 ? low : high;
    if (!countDigits(from, words, shift, counts)) continue;
    for (let index = 0; index < from.length; index++) {
      const element = from[index] as number;
      const digit = ((words[element] as number) >>> shift) & (DIGITS - 1);
      to[counts[digit] as number] = element;
      counts[digit] = (counts[digit] as number) + 1;
    }
    [from, to] = [to, from];
  }
  if (from !== order) order.set(from);
}

/**
 * Turns `counts` into the place of the first element of each digit. False when all have one digit, so nothing
 * needs to move.
 */
function countDigits(order: Uint32Array, words: Uint32Array, shift: number, counts: Uint32Array): boolean {
  counts.fill(0);
  for (let index = 0; index < order.length; index++) {
    const digit = ((words[order[index] as number] as number) >>> shift) & (DIGITS - 1);
    counts[digit] = (counts[digit] as number) + 1;
  }
  const first = ((words[order[0] as number] as number) >>> shift) & (DIGITS - 1);
  if (counts[first] === order.length) return false;
  for (let digit = 0, place = 0; digit < DIGITS; digit++) {
    const count = counts[digit] as number;
    counts[digit] = place;
    place += count;
  }
  return true;
}

interface Group {
  readonly from: number;
  readonly to: number;
  /** Bytes that all strings of the group share. */
  readonly depth: number;
}

/**
 * Indices in ascending order of the strings `bytes[starts[i], ends[i])`, compared as unsigned bytes; equal
 * ones by index.
 */
export function orderOfTexts(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array): Uint32Array {
  const count = starts.length;
  const order = Uint32Array.from(starts, (_, index) => index);
  const high = new Uint32Array(count);
  const low = new Uint32Array(count);
  const open: Group[] = [{ from: 0, to: count, depth: 0 }];
  for (let group = open.pop(); group !== undefined; group = open.pop()) {
    const { from, to, depth } = group;
    const part = order.subarray(from, to);
    if (part.length <= SMALL) {
      const startOf = (index: number): number => (starts[index] as number) + depth;
      const endOf = (index: number): number => ends[index] as number;
      part.sort((a, b) => compareBytes(bytes, startOf(a), endOf(a), bytes, startOf(b), endOf(b)) || a - b);
      continue;
    }
    for (const index of part) {
      const at = (starts[index] as number) + depth;
      high[index] = bigEndian(bytes, at, ends[index] as number);
      low[index] = bigEndian(bytes, at + 4, ends[index] as number);
    }
    sortByKeys(part, high, low);
    splitGroups(group, part, { starts, ends, high, low }, open);
  }
  return order;
}

interface TextKeys {
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

/**
 * Pushes every run of equal keys that is not yet in order. Strings that end within the key come first,
 * shortest before longest.
 */
function splitGroups(group: Group, part: Uint32Array, keys: TextKeys, open: Group[]): void {
  const { starts, ends, high, low } = keys;
  const depth = group.depth + 8;
  const lengthOf = (index: number): number => (ends[index] as number) - (starts[index] as number);
  for (let from = 0, to = 1; from < part.length; from = to, to = from + 1) {
    const first = part[from] as number;
    while (
      to < part.length &&
      high[part[to] as number] === high[first] &&
      low[part[to] as number] === low[first]
    )
      to++;
    if (to === from + 1) continue;
    const run = part.subarray(from, to);
    // Zero bytes behind the end look like those of a longer string; the order is by length then, and by
    // index.
    const ended = run.filter((index) => lengthOf(index) <= depth);
    const longer = run.filter((index) => lengthOf(index) > depth);
    ended.sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
    run.set(ended);
    run.set(longer, ended.length);
    if (longer.length > 1) open.push({ from: group.from + from + ended.length, to: group.from + to, depth });
  }
}

/** Four bytes as a number that sorts as they do; bytes past the end count as zero. */
function bigEndian(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (
      (((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number)) >>>
      0
    );
  }
  let value = 0;
  for (let index = 0; index < 4; index++)
    value = (value << 8) | (at + index < end ? (bytes[at + index] as number) : 0);
  return value >>> 0;
}
