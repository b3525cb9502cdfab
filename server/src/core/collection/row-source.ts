/*
 * What memtables and open segments have in common: rows found by id, masked when a newer write replaces them,
 * and shown to an engine as a part of a task. The state of a collection is a list of these.
 */
import type { PagedPart } from '../engine/stages.js';
import type { Part } from '../engine/tasks.js';
import type { Region } from '../memory/arena.js';
import type { RowMask } from '../memory/row-mask.js';

/**
 * Rows that a query can see: a memtable or an open segment. At most one source holds a visible row of an id.
 */
export interface RowSource {
  /** Never used for another source. */
  readonly tag: number;
  /** Rows that newer writes have replaced or removed. */
  readonly mask: RowMask;
  /** Visible rows. */
  readonly live: number;
  /** The visible row of an id, or -1. */
  find(id: string): number;
  /** Marks the visible row of an id deleted by the write `sequence`; false when there is none. */
  remove(id: string, sequence: number): boolean;
  idOf(row: number): string;
  /** A copy of the encoded attributes, empty when the record has none. */
  attributesOf(row: number): Uint8Array;
  /** Their number, without a copy. */
  attributeBytesOf(row: number): number;
  /** Bytes of one vector. */
  readonly vectorBytes: number;
  /** A copy of the vector as it was written. */
  vectorOf(row: number): Float32Array;
  /** The source as an engine reads it, as of now. */
  part(): Part | PagedPart;
  /** Every region that `part` names. */
  regions(): Region[];
  /** Lets go of the regions; snapshots that retained them keep them. */
  release(): void;
}
