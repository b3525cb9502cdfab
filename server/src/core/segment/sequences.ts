/*
 * The sequence number of the write that made each row: u64 per row. A merge needs them to tell which
 * deletions came later.
 */

/** Bytes of the section. */
export function sequencesBytes(rows: number): number {
  return rows * 8;
}

/** Writes row `row`; `sequence` is a whole number below 2^53. */
export function writeSequence(section: Uint8Array, row: number, sequence: number): void {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  view.setUint32(row * 8, sequence % 0x1_0000_0000, true);
  view.setUint32(row * 8 + 4, Math.floor(sequence / 0x1_0000_0000), true);
}

/** Reads row `row`. */
export function readSequence(section: Uint8Array, row: number): number {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  return view.getUint32(row * 8, true) + view.getUint32(row * 8 + 4, true) * 0x1_0000_0000;
}
