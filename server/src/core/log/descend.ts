/*
 * The first root of a collection that begins as a moment of another one. Nothing is copied: its segments and
 * the log behind its floor are named where they lie, so this takes the same time for any size.
 */
import { invariant } from '../errors.js';
import type { CollectionId } from '../ids.js';
import type { DeletesRef, LogBase, ParentRef, Root, Schema, SegmentRef } from './root.js';
import { newRoot } from './root.js';

export interface Descent {
  readonly collectionId: CollectionId;
  readonly schema: Schema;
  /** Last slot of the origin's log that counts; at least the base's floor. */
  readonly throughSlot: number;
  /**
   * Who keeps the objects: the origin, by this pin, in whose folder they stay. Absent: they were copied into
   * the new collection's own folder.
   */
  readonly parent?: ParentRef;
  /** The new collection is to use the parent's objects no longer than it has to. */
  readonly detaches?: boolean;
}

/** @param base The version of the origin to begin with. */
export function descend(base: Root, descent: Descent): Root {
  const { collectionId, schema, throughSlot, parent, detaches = false } = descent;
  invariant(throughSlot >= base.walFloor, 'a collection begins behind the floor of its base');
  const place = (folder: CollectionId | undefined): { readonly folder?: CollectionId } =>
    parent === undefined ? {} : { folder: folder ?? base.collectionId };
  const placed = ({ folder, ...deletes }: DeletesRef): DeletesRef => ({ ...deletes, ...place(folder) });
  const segments = base.segments.map(({ folder, writtenFor, deletes, ...segment }): SegmentRef => ({
    ...segment,
    ...place(folder),
    writtenFor: writtenFor ?? base.collectionId,
    ...(deletes === undefined ? {} : { deletes: placed(deletes) }),
  }));
  const own: LogBase = { throughSlot, writtenFor: base.collectionId };
  const reached = base.logBases.findIndex((other) => other.throughSlot >= throughSlot);
  const origin = reached < 0 ? [...base.logBases, own] : base.logBases.slice(0, reached + 1);
  const logBases = origin
    .map(({ folder, writtenFor, ...rest }) => ({
      writtenFor,
      throughSlot: Math.min(rest.throughSlot, throughSlot),
      ...place(folder),
    }))
    .filter((logBase) => logBase.throughSlot > base.walFloor);
  const { walFloor, walFloorHash, foldedSequence, floorTimeMs, books } = base;
  // Requests answered before are requests to the same collection only if it was restored.
  const requestWindows = parent === undefined ? base.requestWindows : [];
  return {
    ...newRoot(collectionId, schema),
    ...{ walFloor, walFloorHash, foldedSequence, floorTimeMs, segments, logBases, requestWindows },
    ...(books === undefined ? {} : { books }),
    parents: parent === undefined || (segments.length === 0 && logBases.length === 0) ? [] : [parent],
    ...(detaches && parent !== undefined ? { detaches } : {}),
  };
}
