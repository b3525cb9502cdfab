/*
 * Hashes that choose a place: buckets, filters, orders, spread of keys. Not for secrets: an attacker can make
 * inputs that collide, so whoever finds an equal hash compares the bytes too.
 *
 * Method: MurmurHash3_x86_128 by Austin Appleby (public domain, smhasher repository), which needs 32-bit
 * arithmetic only and so runs fast without bigint. The 64-bit hash is the first half of the 128-bit one.
 * Checked against smhasher's verification value 0xb3ece62a.
 */

/** 64 bits as two unsigned 32-bit numbers. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/** 128 bits as four unsigned 32-bit numbers, in the order in which the original writes them. */
export type Hash128 = readonly [number, number, number, number];

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/** First half of `hash128`: `high` is its first word, `low` its second. */
export function hash64(bytes: Uint8Array, seed = 0): Hash64 {
  const [high, low] = hash128(bytes, seed);
  return { high, low };
}

/** MurmurHash3_x86_128 of `bytes`. */
export function hash128(bytes: Uint8Array, seed = 0): Hash128 {
  let h1 = seed | 0;
  let h2 = seed | 0;
  let h3 = seed | 0;
  let h4 = seed | 0;
  const blocks = bytes.length & ~15;
  for (let at = 0; at < blocks; at += 16) {
    h1 ^= mix(word(bytes, at), C1, 15, C2);
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= mix(word(bytes, at + 4), C2, 16, C3);
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= mix(word(bytes, at + 8), C3, 17, C4);
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= mix(word(bytes, at + 12), C4, 18, C1);
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  // Bytes past the end count as zero, and a word of zeros changes nothing.
  h4 ^= mix(tailWord(bytes, blocks + 12), C4, 18, C1);
  h3 ^= mix(tailWord(bytes, blocks + 8), C3, 17, C4);
  h2 ^= mix(tailWord(bytes, blocks + 4), C2, 16, C3);
  h1 ^= mix(tailWord(bytes, blocks), C1, 15, C2);

  h1 ^= bytes.length;
  h2 ^= bytes.length;
  h3 ^= bytes.length;
  h4 ^= bytes.length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = avalanche((h2 + h1) | 0);
  h3 = avalanche((h3 + h1) | 0);
  h4 = avalanche((h4 + h1) | 0);
  h1 = (avalanche(h1) + h2 + h3 + h4) | 0;
  return [h1 >>> 0, (h2 + h1) >>> 0, (h3 + h1) >>> 0, (h4 + h1) >>> 0];
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Undefined past the end, which the bit operators take for zero. */
function tailWord(bytes: Uint8Array, at: number): number {
  return at < bytes.length ? word(bytes, at) : 0;
}

function mix(k: number, first: number, turn: number, second: number): number {
  return Math.imul(rotate(Math.imul(k, first), turn), second);
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

function avalanche(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
