/*
 * UTF-8 text that lies in larger byte arrays, often in shared memory, which `TextDecoder` and `TextEncoder`
 * refuse.
 *
 * Idea: short ASCII text is built from its bytes directly, everything else takes a detour through a private
 * copy. Order of text is the order of its UTF-8 bytes, which is the order of Unicode code points and not that
 * of UTF-16 units.
 */
import { OmenError } from '../errors.js';

/** Up to here building a string from characters is faster than a call of the decoder (measured, Node 20). */
const SHORT = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
let scratch = new Uint8Array(4096);

/** The bytes of well-formed text. Lone surrogates become U+FFFD, so callers refuse them before. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * Writes the UTF-8 bytes of `text` at `at` of an array that is not shared; returns the number of bytes.
 * The array must have room for three bytes per UTF-16 unit.
 */
export function encodeTextInto(text: string, into: Uint8Array, at: number): number {
  if (text.length <= 64) {
    let index = 0;
    for (; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) break;
      into[at + index] = unit;
    }
    if (index === text.length) return index;
  }
  return encoder.encodeInto(text, into.subarray(at)).written;
}

/** The text in `bytes[from, to)`; throws `DATA_CORRUPTED` when that is not UTF-8. */
export function decodeText(bytes: Uint8Array, from: number, to: number): string {
  const length = to - from;
  if (length <= SHORT) {
    let all = 0;
    for (let at = from; at < to; at++) all |= bytes[at] as number;
    if (all < 0x80) return shortText(bytes, from, to);
  }
  if (scratch.length < length) scratch = new Uint8Array(length * 2);
  scratch.set(bytes.subarray(from, to));
  try {
    return decoder.decode(scratch.subarray(0, length));
  } catch (cause) {
    throw new OmenError('DATA_CORRUPTED', `text of ${length} bytes at byte ${from} is not UTF-8`, { cause });
  }
}

function shortText(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  let at = from;
  // Many arguments in one call cost less than many concatenations.
  for (; at + 4 <= to; at += 4) {
    text += String.fromCharCode(
      bytes[at] as number,
      bytes[at + 1] as number,
      bytes[at + 2] as number,
      bytes[at + 3] as number,
    );
  }
  for (; at < to; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}

/** Order of `a[aFrom, aTo)` and `b[bFrom, bTo)` as unsigned bytes. */
export function compareBytes(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): number {
  const length = Math.min(aTo - aFrom, bTo - bFrom);
  for (let index = 0; index < length; index++) {
    const difference = (a[aFrom + index] as number) - (b[bFrom + index] as number);
    if (difference !== 0) return difference;
  }
  return aTo - aFrom - (bTo - bFrom);
}

/** `a[aFrom, aTo)` has the same bytes as `b[bFrom, bTo)`. */
export function equalBytes(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): boolean {
  if (aTo - aFrom !== bTo - bFrom) return false;
  for (let x = aFrom, y = bFrom; x < aTo; x++, y++) if (a[x] !== b[y]) return false;
  return true;
}
