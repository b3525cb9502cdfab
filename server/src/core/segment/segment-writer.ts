/*
 * Fills a region with a segment, in place: whoever has the data writes each section where it will stay.
 */
import { crc32c } from '../bytes/crc32c.js';
import { invariant } from '../errors.js';
import { encodeFooter } from './footer.js';
import type { SegmentHeader } from './header.js';
import { encodeHeader } from './header.js';
import type { PlannedSection, SectionKind, SegmentPlan } from './layout.js';
import { CHECKSUM_BLOCK_BYTES, HEADER_BYTES } from './layout.js';

/** Plan, write every section, then `finish`; the region is a segment only after that. */
export class SegmentWriter {
  readonly #byKind: ReadonlyMap<SectionKind, PlannedSection>;

  /**
   * @param into At least `plan.size` bytes, shared memory or not; need not be cleared. Begins at a multiple
   * of 8.
   */
  constructor(
    private readonly into: Uint8Array,
    private readonly plan: SegmentPlan,
  ) {
    invariant(into.length >= plan.size, `a segment of ${plan.size} bytes does not fit into ${into.length}`);
    this.#byKind = new Map(plan.sections.map((section) => [section.kind, section]));
  }

  /**
   * The bytes of a planned section, to be filled entirely by the caller: what was there before is not
   * cleared.
   */
  section(kind: SectionKind): Uint8Array {
    const planned = this.#byKind.get(kind);
    invariant(planned !== undefined, `section ${kind} was not planned`);
    return this.into.subarray(planned.offset, planned.offset + planned.length);
  }

  /** Copies a section that was made elsewhere. */
  put(kind: SectionKind, bytes: Uint8Array): void {
    const target = this.section(kind);
    invariant(
      bytes.length === target.length,
      `section ${kind} has ${bytes.length} bytes, planned were ${target.length}`,
    );
    target.set(bytes);
  }

  /**
   * Writes header, gaps, checksums and footer. Every section must have its final bytes; returns the segment.
   */
  finish(header: SegmentHeader): Uint8Array {
    const encodedHeader = encodeHeader(header);
    this.into.set(encodedHeader);
    this.#clearGaps();
    const checksums = this.#writeChecksums();
    const headerChecksum = crc32c(encodedHeader);
    this.into.set(encodeFooter(this.plan, checksums, headerChecksum), this.plan.directory);
    return this.into.subarray(0, this.plan.size);
  }

  #clearGaps(): void {
    let end = HEADER_BYTES;
    for (const { offset, length } of this.plan.sections) {
      this.into.fill(0, end, offset);
      end = offset + length;
    }
    this.into.fill(0, end, this.plan.directory);
  }

  /** Fills the checksums section and returns the checksum of each section. */
  #writeChecksums(): number[] {
    const table = this.section('checksums');
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    return this.plan.sections.map(({ kind, length, firstChecksum }) => {
      if (kind === 'checksums') return crc32c(table);
      const bytes = this.section(kind);
      let at = firstChecksum * 4;
      for (let from = 0; from < length; from += CHECKSUM_BLOCK_BYTES, at += 4) {
        view.setUint32(at, crc32c(bytes.subarray(from, from + CHECKSUM_BLOCK_BYTES)), true);
      }
      return crc32c(table.subarray(firstChecksum * 4, at));
    });
  }
}
