/*
 * The end of a segment: the directory of its sections and a checksum from which everything else can be
 * checked.
 *
 * Idea: a section's checksum in the directory covers the checksums of its 4 KiB blocks, and the footer's
 * checksum covers the directory and the header's checksum. So the footer's checksum is one of the whole
 * segment, and yet any block can be checked alone.
 */
import { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { crc32c } from '../bytes/crc32c.js';
import type { OmenError } from '../errors.js';
import type { PlannedSection, SectionKind, SegmentPlan } from './layout.js';
import {
  alignmentOf,
  blocksOf,
  DIRECTORY_ENTRY_BYTES,
  HEADER_BYTES,
  SECTION_NUMBERS,
  sectionKindOf,
  SEGMENT_VERSION,
  TAIL_BYTES,
} from './layout.js';

/** `OMSEGEND` */
const MAGIC = Uint8Array.of(0x4f, 0x4d, 0x53, 0x45, 0x47, 0x45, 0x4e, 0x44);
/** Offsets into the tail, the last 64 bytes. */
const VERSION_AT = 48;
const CRC_AT = 52;
const MAGIC_AT = 56;

/**
 * A section as the directory has it. `checksum` covers the block checksums, for the checksums section the
 * section itself.
 */
export interface DirectoryEntry extends Omit<PlannedSection, 'kind'> {
  /** Undefined for a section that this version does not know: it is checked and otherwise ignored. */
  readonly kind: SectionKind | undefined;
  readonly checksum: number;
}

export interface SegmentFooter {
  readonly entries: readonly DirectoryEntry[];
  readonly headerChecksum: number;
  readonly directory: number;
  readonly size: number;
}

/** @param checksums One per planned section, in its order. */
export function encodeFooter(
  plan: SegmentPlan,
  checksums: readonly number[],
  headerChecksum: number,
): Uint8Array {
  const writer = new ByteWriter(plan.size - plan.directory);
  for (const [index, { kind, offset, length, firstChecksum }] of plan.sections.entries()) {
    writer.u32(SECTION_NUMBERS[kind]).u32(checksums[index] ?? 0);
    writer.u64(offset).u64(length).u32(firstChecksum).zeros(4);
  }
  writer.u64(plan.directory).u64(plan.size).u32(plan.sections.length).u32(headerChecksum).zeros(24);
  writer.u32(SEGMENT_VERSION);
  return writer.u32(crc32c(writer.written())).bytes(MAGIC).finish();
}

/**
 * Reads the footer at the end of `bytes` and checks that the directory makes sense. Throws `DATA_CORRUPTED`.
 *
 * @param bytes The segment from byte `base` on, to its end.
 */
export function decodeFooter(bytes: Uint8Array, source: string, base = 0): SegmentFooter {
  const size = base + bytes.length;
  const file = new ByteReader(bytes, `footer of ${source}`);
  if (size < HEADER_BYTES + TAIL_BYTES || bytes.length < TAIL_BYTES)
    throw file.corrupted('the segment', 'a header and a footer', 0);
  const tailAt = bytes.length - TAIL_BYTES;
  file.seek(tailAt + MAGIC_AT, 'the end mark');
  const magic = file.bytes(MAGIC.length, 'the end mark');
  if (MAGIC.some((byte, index) => magic[index] !== byte)) {
    throw file.corrupted('the end mark', 'that of a segment: the object may be cut short', tailAt + MAGIC_AT);
  }
  file.seek(tailAt, 'the directory');
  const place = file.u64('the place of the directory');
  const directory = place - base;
  const statedSize = file.u64('the size');
  const count = file.u32('the number of sections');
  const headerChecksum = file.u32("the header's checksum");
  file.seek(tailAt + VERSION_AT, 'the version');
  const version = file.u32('the version');
  if (place < HEADER_BYTES || directory < 0 || directory + count * DIRECTORY_ENTRY_BYTES !== tailAt) {
    throw file.corrupted('the place of the directory', `${count} entries before the tail`, tailAt);
  }
  if (file.u32('the checksum') !== crc32c(bytes.subarray(directory, tailAt + CRC_AT))) {
    throw file.corrupted('the checksum', 'that of the directory', tailAt + CRC_AT);
  }
  if (version !== SEGMENT_VERSION) {
    throw file.corrupted(
      'the version',
      `${SEGMENT_VERSION}, the only one this server reads, and not ${version}`,
      8,
    );
  }
  if (statedSize !== size) throw file.corrupted('the size', `${size} and not ${statedSize}`, tailAt + 8);
  file.seek(directory, 'the directory');
  const entries = Array.from({ length: count }, () => readEntry(file));
  checkDirectory(entries, place, { file, at: directory });
  return { entries, headerChecksum, directory: place, size };
}

function readEntry(file: ByteReader): DirectoryEntry {
  const kind = sectionKindOf(file.u32('the kind of a section'));
  const checksum = file.u32('the checksum of a section');
  const offset = file.u64('the offset of a section');
  const length = file.u64('the length of a section');
  const firstChecksum = file.u32('the checksums of a section');
  file.skip(4, 'reserved bytes');
  return { kind, checksum, offset, length, firstChecksum };
}

/**
 * What a writer of this format guarantees even if the checksum is right: a reader must not go astray over a
 * foreign directory.
 */
function checkDirectory(
  entries: readonly DirectoryEntry[],
  directory: number,
  { file, at }: { readonly file: ByteReader; readonly at: number },
): void {
  const fault = (index: number, expected: string): OmenError =>
    file.corrupted(`section ${index} of the directory`, expected, at + index * DIRECTORY_ENTRY_BYTES);
  let end = HEADER_BYTES;
  let checksums = 0;
  const seen = new Set<SectionKind>();
  for (const [index, entry] of entries.entries()) {
    const { kind, offset, length } = entry;
    if (offset < end || offset + length > directory)
      throw fault(index, `bytes between ${end} and ${directory}`);
    if (kind !== undefined && offset % alignmentOf(kind) !== 0) throw fault(index, 'an aligned offset');
    if (kind !== undefined && seen.has(kind)) throw fault(index, `one section ${kind} only`);
    if (kind !== undefined) seen.add(kind);
    end = offset + length;
    if (kind === 'checksums') {
      if (index !== entries.length - 1) throw fault(index, 'the checksums to be the last section');
      if (length !== checksums * 4) throw fault(index, `${checksums} checksums`);
    } else {
      if (entry.firstChecksum !== checksums) throw fault(index, `checksums from number ${checksums}`);
      checksums += blocksOf(length);
    }
  }
  if (!seen.has('checksums')) throw fault(entries.length, 'a section of checksums');
}
