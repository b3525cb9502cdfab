/*
 * One state of a collection, held still for as long as somebody reads it: the parts an engine scans, with
 * every region they name. A query sees exactly one snapshot, whatever is written, flushed or merged
 * meanwhile.
 */
import type { PagedPart } from '../engine/stages.js';
import type { Part } from '../engine/tasks.js';
import { invariant } from '../errors.js';
import type { Region } from '../memory/arena.js';
import type { SegmentBody } from './open-segment.js';
import { OpenSegment } from './open-segment.js';
import type { RowSource } from './row-source.js';

export class Snapshot {
  readonly parts: readonly (Part | PagedPart)[];
  /** What is in memory of those parts that are not as a whole. */
  readonly bodies: readonly (SegmentBody | null)[];
  readonly #regions: readonly Region[];
  #owners = 1;

  constructor(
    /** In the order of `parts`: newest first. */
    readonly sources: readonly RowSource[],
    /** The newest write that is visible. */
    readonly sequence: number,
  ) {
    this.parts = sources.map((source) => source.part());
    this.bodies = sources.map((source) =>
      source instanceof OpenSegment && !source.isWhole ? source.body : null,
    );
    this.#regions = sources.flatMap((source) => source.regions()).map((region) => region.retain());
  }

  retain(): this {
    invariant(this.#owners > 0, 'a snapshot is retained after its release');
    this.#owners++;
    return this;
  }

  release(): void {
    if (--this.#owners === 0) for (const region of this.#regions) region.release();
  }
}
