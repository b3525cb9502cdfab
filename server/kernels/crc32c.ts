// CRC-32C (Castagnoli) by slices of 8 bytes. The tables (8 × 256 u32) lie where the caller wants them.

const POLYNOMIAL: u32 = 0x82f63b78;

/** Fills the 8 KiB of tables. */
export function crcTables(tables: usize): void {
  for (let i: u32 = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) != 0 ? POLYNOMIAL : 0);
    store<u32>(tables + ((<usize>i) << 2), value);
  }
  for (let i: usize = 0; i < 256; i++) {
    let value = load<u32>(tables + (i << 2));
    for (let slice: usize = 1; slice < 8; slice++) {
      value = load<u32>(tables + ((<usize>(value & 255)) << 2)) ^ (value >> 8);
      store<u32>(tables + (slice << 10) + (i << 2), value);
    }
  }
}

// @ts-ignore: decorator
@inline
function slice(tables: usize, number: usize, byte: u64): u32 {
  return load<u32>(tables + (number << 10) + ((<usize>(byte & 255)) << 2));
}

/**
 * The checksum of `bytes` bytes at `at`; `seed` is the checksum of what stands before them, 0 for nothing.
 */
export function crc32c(tables: usize, at: usize, bytes: u32, seed: u32): u32 {
  let crc: u32 = ~seed;
  const end = at + bytes;
  while (at + 8 <= end) {
    const x = load<u64>(at) ^ <u64>crc;
    crc =
      slice(tables, 7, x) ^
      slice(tables, 6, x >> 8) ^
      slice(tables, 5, x >> 16) ^
      slice(tables, 4, x >> 24) ^
      slice(tables, 3, x >> 32) ^
      slice(tables, 2, x >> 40) ^
      slice(tables, 1, x >> 48) ^
      slice(tables, 0, x >> 56);
    at += 8;
  }
  while (at < end) {
    crc = slice(tables, 0, <u64>(crc ^ load<u8>(at))) ^ (crc >> 8);
    at++;
  }
  return ~crc;
}
