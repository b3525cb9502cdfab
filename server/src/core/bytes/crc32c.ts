/*
 * CRC-32C (Castagnoli), the checksum of every section of every file.
 *
 * Method: slicing-by-8 (Kounavis and Berry, "A Systematic Approach to Building High Performance
 * Software-based CRC Generators", 2005): eight table look-ups replace the eight dependent steps of the
 * byte-wise algorithm. Reflected polynomial 0x82f63b78, initial value and final xor 0xffffffff, as in RFC
 * 3720, so any other implementation gives the same numbers.
 */

const POLYNOMIAL = 0x82f63b78;

/** Table k holds the remainder of a byte that is followed by k zero bytes. */
const [T0, T1, T2, T3, T4, T5, T6, T7] = buildTables();

/**
 * The checksum of `bytes`, an unsigned 32-bit number. Takes views of shared memory too.
 *
 * @param initial Checksum of the bytes before these: `crc32c(b, crc32c(a))` is the checksum of a followed by
 * b.
 */
export function crc32c(bytes: Uint8Array, initial = 0): number {
  let crc = ~initial;
  let at = 0;
  const end = bytes.length;
  // 32-bit loads need an aligned address.
  const head = Math.min(end, (4 - (bytes.byteOffset & 3)) & 3);
  while (at < head) crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[at++] as number)) & 0xff] as number);
  const pairs = (end - at) >>> 3;
  if (pairs > 0) {
    crc = crcOfWords(new Int32Array(bytes.buffer, bytes.byteOffset + at, pairs * 2), crc);
    at += pairs * 8;
  }
  while (at < end) crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[at++] as number)) & 0xff] as number);
  return ~crc >>> 0;
}

/** An even number of little-endian words. */
function crcOfWords(words: Int32Array, initial: number): number {
  let crc = initial;
  for (let at = 0; at < words.length; at += 2) {
    const low = crc ^ (words[at] as number);
    const high = words[at + 1] as number;
    crc =
      (T7[low & 0xff] as number) ^
      (T6[(low >>> 8) & 0xff] as number) ^
      (T5[(low >>> 16) & 0xff] as number) ^
      (T4[low >>> 24] as number) ^
      (T3[high & 0xff] as number) ^
      (T2[(high >>> 8) & 0xff] as number) ^
      (T1[(high >>> 16) & 0xff] as number) ^
      (T0[high >>> 24] as number);
  }
  return crc;
}

type Tables = readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

function buildTables(): Tables {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256)) as unknown as Tables;
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[0][byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    let crc = tables[0][byte] as number;
    for (const table of tables.slice(1)) {
      crc = (crc >>> 8) ^ (tables[0][crc & 0xff] as number);
      table[byte] = crc;
    }
  }
  return tables;
}
