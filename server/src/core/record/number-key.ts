/*
 * One order for int64 and double: every number is the nearest double and what is missing from it.
 *
 * Rounding never changes the order of two numbers, so comparing doubles first and remainders second compares
 * the exact values. A remainder is zero for doubles and for integers up to 2^53, and at most 512 in size for
 * any int64.
 */
import { int64High, int64Low } from './attribute-cursor.js';

export interface NumberKey {
  /** Never minus zero: the two zeros are one number. */
  readonly near: number;
  readonly rest: number;
}

/** The key of an operand: any double except NaN, or an integer of any size. */
export function numberKey(value: number | bigint): NumberKey {
  if (typeof value === 'number') return { near: value + 0, rest: 0 };
  const near = Number(value);
  return { near, rest: Number.isFinite(near) ? Number(value - BigInt(near)) : 0 };
}

/** The nearest double of an encoded int64. */
export function nearOfInt64(bytes: Uint8Array, from: number, to: number): number {
  // One rounding only: the product and the lower half are exact.
  return int64High(bytes, from, to) * 0x1_0000_0000 + int64Low(bytes, from, to);
}

/** What an encoded int64 has more than `near`, its nearest double. */
export function restOfInt64(bytes: Uint8Array, from: number, to: number, near: number): number {
  if (Number.isSafeInteger(near)) return 0;
  const nearHigh = Math.floor(near / 0x1_0000_0000);
  const nearLow = near - nearHigh * 0x1_0000_0000;
  return (int64High(bytes, from, to) - nearHigh) * 0x1_0000_0000 + (int64Low(bytes, from, to) - nearLow);
}
