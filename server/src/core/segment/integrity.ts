/*
 * Checks the bytes of a segment against its checksums, section by section and block by block.
 */
import { crc32c } from '../bytes/crc32c.js';
import { OmenError } from '../errors.js';
import type { DirectoryEntry, SegmentFooter } from './footer.js';
import { blocksOf, CHECKSUM_BLOCK_BYTES, HEADER_BYTES } from './layout.js';

/**
 * Checks every byte of a segment whose footer was read. Throws `DATA_CORRUPTED` naming the section and the
 * offset.
 */
export function verifySegment(bytes: Uint8Array, footer: SegmentFooter, source: string): void {
  if (crc32c(bytes.subarray(0, HEADER_BYTES)) !== footer.headerChecksum)
    throw damaged(source, 'the header', 0);
  const table = checksumTable(bytes, footer);
  let end = HEADER_BYTES;
  for (const entry of footer.entries) {
    checkGap(bytes, end, entry.offset, source);
    end = entry.offset + entry.length;
    const covered = entry.kind === 'checksums' ? table : table.subarray(...tableRange(entry));
    if (crc32c(covered) !== entry.checksum) {
      throw damaged(source, `checksums of section ${nameOf(entry)}`, covered.byteOffset - bytes.byteOffset);
    }
    if (entry.kind !== 'checksums') verifyBlocks(bytes.subarray(entry.offset, end), 0, entry, table, source);
  }
  checkGap(bytes, end, footer.directory, source);
}

/**
 * Checks every byte of the end of a segment, from byte `base` on. Throws like `verifySegment`.
 *
 * @param bytes From the begin of a section to the end of the segment.
 */
export function verifySkeleton(
  bytes: Uint8Array,
  footer: SegmentFooter,
  { source, base }: { readonly source: string; readonly base: number },
): void {
  const table = checksumTable(bytes, footer, base);
  let end = base;
  for (const entry of footer.entries) {
    if (entry.kind !== 'checksums') checkTable(table, entry, source);
    else if (crc32c(table) !== entry.checksum) throw damaged(source, 'the checksums', entry.offset);
    if (entry.offset < base) continue;
    checkGap(bytes, end - base, entry.offset - base, source);
    end = entry.offset + entry.length;
    if (entry.kind === 'checksums') continue;
    verifyBlocks(bytes.subarray(entry.offset - base, end - base), 0, entry, table, source);
  }
  checkGap(bytes, end - base, footer.directory - base, source);
}

/** Throws `DATA_CORRUPTED` when the checksums of a section are not those that the directory knows. */
function checkTable(table: Uint8Array, entry: DirectoryEntry, source: string): void {
  const covered = table.subarray(...tableRange(entry));
  if (crc32c(covered) === entry.checksum) return;
  throw damaged(source, `checksums of section ${nameOf(entry)}`, covered.byteOffset - table.byteOffset);
}

/**
 * Checks whole blocks of one section against the table of checksums. Throws like `verifySegment`.
 *
 * @param blocks The section's bytes from block `firstBlock` on, up to a block's or the section's end.
 * @param table The section `checksums`, which was checked.
 */
export function verifyBlocks(
  blocks: Uint8Array,
  firstBlock: number,
  entry: DirectoryEntry,
  table: Uint8Array,
  source: string,
): void {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let from = 0, block = firstBlock; from < blocks.length; from += CHECKSUM_BLOCK_BYTES, block++) {
    const seen = crc32c(blocks.subarray(from, from + CHECKSUM_BLOCK_BYTES));
    if (seen !== view.getUint32((entry.firstChecksum + block) * 4, true)) {
      throw damaged(source, `section ${nameOf(entry)}`, entry.offset + block * CHECKSUM_BLOCK_BYTES);
    }
  }
}

function checksumTable(bytes: Uint8Array, footer: SegmentFooter, base = 0): Uint8Array {
  const entry = footer.entries.at(-1);
  if (entry?.kind !== 'checksums') throw new Error('a footer without checksums passed its checks');
  return bytes.subarray(entry.offset - base, entry.offset - base + entry.length);
}

function tableRange(entry: DirectoryEntry): [number, number] {
  return [entry.firstChecksum * 4, (entry.firstChecksum + blocksOf(entry.length)) * 4];
}

function checkGap(bytes: Uint8Array, from: number, to: number, source: string): void {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) throw damaged(source, 'a gap between sections', at);
}

function nameOf(entry: DirectoryEntry): string {
  return entry.kind ?? 'of an unknown kind';
}

function damaged(source: string, what: string, offset: number): OmenError {
  return new OmenError(
    'DATA_CORRUPTED',
    `${source} is damaged: ${what} at byte ${offset} fails its checksum`,
    {
      metadata: { section: what, offset: String(offset) },
    },
  );
}
