/*
 * Which objects make up a version of a collection and the log behind it, and what each of them must be.
 */
import type { CollectionId } from '../../core/ids.js';
import { OmenError } from '../../core/errors.js';
import { crc32c } from '../../core/bytes/crc32c.js';
import type { Checkpoint, LogPosition, Root } from '../../core/log/root.js';
import { decodeRoot } from '../../core/log/root.js';
import { decodeWalSlot } from '../../core/log/wal-slot.js';
import { decodeDeletionVector } from '../../core/segment/deletion-vector.js';
import { openSegment } from '../../core/segment/segment-view.js';
import { decodeRequestWindow } from '../collections/request-window-codec.js';
import type { SlotLink } from '../log/log-reader.js';
import { positionAfter } from '../log/log-reader.js';
import type { CollectionLayout } from '../log/object-layout.js';
import type { StoredObject } from './inventory.js';

/** What an object's bytes must be. */
export type Content =
  | { readonly kind: 'segment'; readonly writtenFor: CollectionId; readonly rows: number }
  | { readonly kind: 'deletes'; readonly segmentKey: string; readonly segmentRows: number }
  | { readonly kind: 'requests' }
  | { readonly kind: 'slot'; readonly writtenFor: CollectionId; readonly slot: number }
  | { readonly kind: 'manifest'; readonly id: CollectionId; readonly version: number }
  /** Nothing is known about it. */
  | { readonly kind: 'plain' };

export interface NeededObject {
  /** The object's key in its store. */
  readonly key: string;
  /** The key in a collection's folder. */
  readonly relative: string;
  readonly content: Content;
  /** Its size, where that is known beforehand. */
  readonly bytes?: number;
}

/** A slot in its log. */
export interface ExaminedSlot extends SlotLink {
  readonly after: LogPosition;
}

export interface Examined extends StoredObject {
  readonly slot?: ExaminedSlot;
}

/** Segments, their deleted rows and the remembered requests of a version, in whosever folder they lie. */
export function objectsOf(root: Root, layout: CollectionLayout): NeededObject[] {
  const needed: NeededObject[] = [];
  for (const { key, folder, writtenFor = root.collectionId, rows, bytes, deletes } of root.segments) {
    const place = { key, ...(folder === undefined ? {} : { folder }) };
    const content = { kind: 'segment', writtenFor, rows } as const;
    needed.push({ key: layout.locate(place), relative: key, content, bytes });
    if (deletes === undefined) continue;
    needed.push({
      ...{ key: layout.locate(deletes), relative: deletes.key },
      content: { kind: 'deletes', segmentKey: key, segmentRows: rows },
    });
  }
  for (const { key } of root.requestWindows) {
    needed.push({ key: layout.absolute(key), relative: key, content: { kind: 'requests' } });
  }
  return needed;
}

/** A stretch of the log, from the floor of a version on. */
export interface LogSpan {
  readonly root: Root;
  readonly throughSlot: number;
}

/**
 * The log that versions and snapshots need: from the oldest version's floor to the end, and where a snapshot
 * is older, from its floor to its own end.
 */
export function spansOf(
  versions: readonly Root[],
  throughSlot: number,
  snapshots: readonly LogSpan[],
): LogSpan[] {
  const [oldest] = versions;
  if (oldest === undefined) return [];
  const older = snapshots.filter(({ root }) => root.walFloor < oldest.walFloor);
  return [...older, { root: oldest, throughSlot }];
}

/** The log behind a version's floor, up to and including a slot, in order; but none before `from`. */
export function* slotsOf(
  { root, throughSlot }: LogSpan,
  layout: CollectionLayout,
  from = 0,
): Generator<NeededObject> {
  const first = Math.max(root.walFloor + 1, from);
  for (let slot = first; slot <= throughSlot; slot++) yield slotOf(root, layout, slot);
}

/** Where a slot lies that counts for this version. */
export function slotOf(root: Root, layout: CollectionLayout, slot: number): NeededObject {
  const base = root.logBases.find(({ throughSlot }) => slot <= throughSlot);
  return {
    key: layout.folder(base?.folder).slotKey(slot),
    relative: layout.relativeSlotKey(slot),
    content: { kind: 'slot', writtenFor: base?.writtenFor ?? root.collectionId, slot },
  };
}

export function manifestObject(layout: CollectionLayout, { manifest, version }: Checkpoint): NeededObject {
  const content = { kind: 'manifest', id: layout.id, version } as const;
  return { key: layout.absolute(manifest), relative: manifest, content };
}

/** Checks every byte of an object. Throws `DATA_CORRUPTED` when it is damaged or another one. */
export function examine(body: Uint8Array, { key, content }: NeededObject): Examined {
  const examined = { size: body.length, crc: crc32c(body) };
  switch (content.kind) {
    case 'segment': {
      const { writtenFor, rows } = content;
      const aligned = body.byteOffset % 8 === 0 ? body : body.slice();
      const view = openSegment(aligned, { verify: true, collectionId: writtenFor, source: key });
      if (view.rows !== rows) throw other(key, `a segment of ${view.rows} rows and not ${rows}`);
      return examined;
    }
    case 'deletes':
      decodeDeletionVector(body, content, key);
      return examined;
    case 'requests':
      decodeRequestWindow(body, key);
      return examined;
    case 'slot':
      return { ...examined, slot: examineSlot(body, key, content) };
    case 'manifest':
      examineManifest(body, key, content);
      return examined;
    case 'plain':
      return examined;
  }
}

/** Reads a manifest. Throws `DATA_CORRUPTED` when it is not that of the version. */
export function examineManifest(
  body: Uint8Array,
  key: string,
  { id, version }: { readonly id: CollectionId; readonly version: number },
): Root {
  const root = decodeRoot(body, `manifest ${key}`);
  if (root.collectionId === id && root.version === version) return root;
  throw other(key, `version ${root.version} of collection ${root.collectionId}`);
}

function examineSlot(
  body: Uint8Array,
  key: string,
  { writtenFor, slot }: { readonly writtenFor: CollectionId; readonly slot: number },
): ExaminedSlot {
  const decoded = decodeWalSlot(body, key);
  const { collectionId, previousHash, firstSequence } = decoded;
  if (collectionId !== writtenFor || decoded.slot !== slot) {
    throw other(key, `slot ${decoded.slot} of collection ${collectionId}`);
  }
  return { collectionId, slot, previousHash, firstSequence, after: positionAfter(decoded) };
}

function other(key: string, seen: string): OmenError {
  return new OmenError('DATA_CORRUPTED', `object ${key} holds ${seen}`);
}
