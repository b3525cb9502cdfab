// Bitmaps over row numbers: row `r` is bit `r & 7` of byte `r >> 3`.

/**
 * How many of the rows [from, to) have their bit set. Reads whole 64-bit words around them, which a bitmap's
 * region has.
 */
export function countBits(bitmap: usize, from: u32, to: u32): u32 {
  if (from >= to) return 0;
  const first = from >> 6;
  const last = (to - 1) >> 6;
  const head = ~<u64>0 << (<u64>(from & 63));
  const tail = ~<u64>0 >> (<u64>(63 - ((to - 1) & 63)));
  if (first == last) return <u32>popcnt<u64>(wordAt(bitmap, first) & head & tail);
  let count = popcnt<u64>(wordAt(bitmap, first) & head) + popcnt<u64>(wordAt(bitmap, last) & tail);
  for (let word = first + 1; word < last; word++) count += popcnt<u64>(wordAt(bitmap, word));
  return <u32>count;
}

/** Writes the numbers of the rows below `rows` whose bit is set, ascending, u32 each. Returns how many. */
export function listBits(bitmap: usize, rows: u32, out: usize): u32 {
  let at = out;
  for (let word: u32 = 0; word << 6 < rows; word++) {
    const left = rows - (word << 6);
    let bits = wordAt(bitmap, word);
    if (left < 64) bits &= ((<u64>1) << (<u64>left)) - 1;
    while (bits != 0) {
      store<u32>(at, (word << 6) + <u32>ctz<u64>(bits));
      at += 4;
      bits &= bits - 1;
    }
  }
  return <u32>((at - out) >> 2);
}

// @ts-ignore: decorator
@inline
function wordAt(bitmap: usize, index: u32): u64 {
  return load<u64>(bitmap + ((<usize>index) << 3));
}
