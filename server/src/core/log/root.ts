/*
 * The root of a collection: the one object that says what the collection consists of. Reading it and the log
 * behind its floor is reading the collection.
 *
 * It changes only by compare-and-swap of a pure function (transitions.ts), and each version is also kept as
 * an immutable manifest with the same bytes. Keys in it are relative to the collection's folder, so a copy of
 * the folder is a whole collection. Drawn in docs/formats/root.md.
 */
import { OmenError } from '../errors.js';
import type { CollectionId } from '../ids.js';
import type { Metric } from '../vector/metric.js';
import { METRICS } from '../vector/metric.js';
import type { EnvelopeKind, JsonObject } from './envelope.js';
import { decodeEnvelope, encodeEnvelope } from './envelope.js';
import { isSetsum, Setsum } from './setsum.js';
import { NO_SLOT_HASH } from './wal-slot.js';

export const ROOT_FORMAT = 2;

/** Manifest keys that a root carries: enough to tell one's own success after this many later commits. */
export const MANIFESTS_KEPT = 32;

export const JOB_KINDS = ['flush', 'merge'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export interface Schema {
  readonly name: string;
  readonly dimensions: number;
  readonly metric: Metric;
  readonly createdAtMs: number;
}

/** Rows of a segment that are gone: a bitmap in an object of its own. */
export interface DeletesRef {
  readonly key: string;
  /** The collection in whose folder the object lies; absent: this one. */
  readonly folder?: CollectionId;
  /** Deleted rows. */
  readonly rows: number;
  /** Setsum of the deleted rows. */
  readonly setsum?: string;
}

export interface SegmentRef {
  readonly key: string;
  /** The collection in whose folder the object lies; absent: this one. */
  readonly folder?: CollectionId;
  /** The collection that wrote it and whose id stands in it; absent: this one. */
  readonly writtenFor?: CollectionId;
  readonly jobId: string;
  /** 0 for a flush, one more than the highest input for a merge. */
  readonly level: number;
  /** Rows in the object, including those deleted since. */
  readonly rows: number;
  readonly liveRows: number;
  readonly bytes: number;
  readonly minSequence: number;
  readonly maxSequence: number;
  readonly deletes?: DeletesRef;
  /** Setsum of all rows in the object. */
  readonly setsum?: string;
  /** For planning without opening the segment; opaque here. */
  readonly summary: JsonObject;
}

/**
 * A right to publish. Registered before the first byte is uploaded; without it the job's objects are garbage.
 */
export interface JobRef {
  /** Random and never used again; every object of the job carries it in its key. */
  readonly jobId: string;
  readonly kind: JobKind;
  /** Keys of the segments that a merge replaces. */
  readonly inputs: readonly string[];
  readonly claimedBy: string;
  /** Information for people and for finding jobs that nobody works on; never for safety. */
  readonly claimedAtMs: number;
}

/** Remembered request ids of folded slots. */
export interface RequestWindowRef {
  readonly key: string;
  readonly requests: number;
  /** Its newest request is in a log slot up to here, and was made then. */
  readonly throughSlot: number;
  readonly newestMs: number;
}

/** A place in the log: everything up to and including this slot. */
export interface LogPosition {
  readonly slot: number;
  /** Hash of that slot, so that the next one can be checked. */
  readonly hash: string;
  /** Sequence number of the last write of that slot. */
  readonly sequence: number;
  /** When that slot was written. Never less than that of the slot before. */
  readonly timeMs: number;
}

/** The log up to `throughSlot`, as far as it was not written by this collection itself. */
export interface LogBase {
  readonly throughSlot: number;
  /** The collection in whose folder the slots lie; absent: this one. */
  readonly folder?: CollectionId;
  /** The collection whose id stands in them. */
  readonly writtenFor: CollectionId;
}

/** Setsums of what was folded: `logged` is `pruned` and the live rows of all segments. */
export interface Books {
  /** Every record that was ever written to the log, up to its floor. */
  readonly logged: string;
  /** Those of them that were replaced or deleted since. */
  readonly pruned: string;
}

/** A version that stays readable, and the log behind its floor with it. */
export interface Checkpoint {
  readonly version: number;
  /** Key of its manifest. */
  readonly manifest: string;
  readonly walFloor: number;
  readonly foldedSequence: number;
  readonly floorTimeMs: number;
}

/** A moment that stays readable until it is deleted. */
export interface SnapshotRef {
  readonly name: string;
  readonly createdAtMs: number;
  readonly base: Checkpoint;
  /** The last slot that counts, with its last write. */
  readonly through: Omit<LogPosition, 'hash'>;
  /** The request that made it, when it had an id: a repetition is answered and not refused. */
  readonly requestId?: string;
}

/** A collection whose objects this one uses. It keeps them for as long as the pin is there. */
export interface ParentRef {
  readonly collectionId: CollectionId;
  /** In the parent's folder. */
  readonly pinId: string;
}

export interface Root {
  readonly format: number;
  readonly collectionId: CollectionId;
  /** One more with every change. */
  readonly version: number;
  /** Slots up to here are in segments; their objects may be gone. */
  readonly walFloor: number;
  readonly walFloorHash: string;
  /** Writes up to here are in segments. */
  readonly foldedSequence: number;
  /** When the slot at the floor was written; the collection's creation for an empty one. */
  readonly floorTimeMs: number;
  readonly schema: Schema;
  readonly segments: readonly SegmentRef[];
  readonly jobs: readonly JobRef[];
  /** Keys of the newest manifests, oldest first; the last one is this version's. */
  readonly manifests: readonly string[];
  /** Versions below this one may be collected, except checkpoints and those of snapshots and pins. */
  readonly retentionFloor: number;
  /** Where reads of the past begin, oldest first. */
  readonly checkpoints: readonly Checkpoint[];
  readonly snapshots: readonly SnapshotRef[];
  /** By ascending `throughSlot`; a slot belongs to the first that reaches it, or else to this collection. */
  readonly logBases: readonly LogBase[];
  readonly parents: readonly ParentRef[];
  /** Segments of other collections are rewritten, so that those are needed no more. */
  readonly detaches?: boolean;
  readonly books?: Books;
  /** Oldest first. */
  readonly requestWindows: readonly RequestWindowRef[];
  /** No write is ever acknowledged again. */
  readonly sealed: boolean;
}

const ROOT_KIND: EnvelopeKind = { magic: 'OMRT', version: ROOT_FORMAT };

/** The bytes of the `root` object. */
export function encodeRoot(root: Root): Uint8Array {
  return encodeEnvelope(ROOT_KIND, root);
}

/** Throws `DATA_CORRUPTED` naming the source and the field. */
export function decodeRoot(bytes: Uint8Array, source: string): Root {
  const value = decodeEnvelope(ROOT_KIND, bytes, source);
  checkShape(value, ROOT_SHAPE, source);
  return value as unknown as Root;
}

/** The place up to which the log is folded into segments. */
export function floorOf(root: Root): LogPosition {
  return {
    ...{ slot: root.walFloor, hash: root.walFloorHash, sequence: root.foldedSequence },
    timeMs: root.floorTimeMs,
  };
}

/** The other collections in whose folders objects of this one lie. */
export function foldersOf({ segments, logBases }: Root): CollectionId[] {
  const named = [...segments, ...segments.map(({ deletes }) => deletes), ...logBases];
  return [...new Set(named.flatMap((place) => (place?.folder === undefined ? [] : [place.folder])))];
}

/** This version, to be kept. The root must have its manifest. */
export function checkpointOf(root: Root): Checkpoint {
  const { version, walFloor, foldedSequence, floorTimeMs, manifests } = root;
  return { version, manifest: manifests.at(-1) ?? '', walFloor, foldedSequence, floorTimeMs };
}

/** The root of a new collection, version 1, without its manifest. */
export function newRoot(collectionId: CollectionId, schema: Schema): Root {
  return {
    format: ROOT_FORMAT,
    collectionId,
    version: 1,
    walFloor: 0,
    walFloorHash: NO_SLOT_HASH,
    foldedSequence: 0,
    floorTimeMs: schema.createdAtMs,
    schema,
    segments: [],
    jobs: [],
    manifests: [],
    retentionFloor: 1,
    checkpoints: [],
    snapshots: [],
    logBases: [],
    parents: [],
    requestWindows: [],
    books: { logged: new Setsum().toString(), pruned: new Setsum().toString() },
    sealed: false,
  };
}

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === 'string' && value.length > 0;
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const time: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
const hex: Check = (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
const flag: Check = (value) => typeof value === 'boolean';
const oneOf =
  (values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const object =
  (shape: Shape): Check =>
  (value) =>
    typeof value === 'object' && value !== null && wrongField(value as JsonObject, shape) === undefined;

const OBJECT_PLACE: Shape = { key: text, folder: optional(hex) };
const LOG_POINT: Shape = { slot: count, sequence: count, timeMs: time };
const CHECKPOINT: Shape = {
  ...{ version: count, manifest: text, walFloor: count, foldedSequence: count, floorTimeMs: time },
};

const ROOT_SHAPE: Shape = {
  format: (value) => value === ROOT_FORMAT,
  collectionId: hex,
  version: count,
  walFloor: count,
  walFloorHash: hex,
  foldedSequence: count,
  floorTimeMs: time,
  schema: object({ name: text, dimensions: count, metric: oneOf(METRICS), createdAtMs: time }),
  segments: listOf(
    object({
      ...OBJECT_PLACE,
      ...{ jobId: text, level: count, rows: count, liveRows: count, bytes: count },
      ...{ minSequence: count, maxSequence: count, summary: object({}), writtenFor: optional(hex) },
      setsum: optional(isSetsum),
      deletes: optional(object({ ...OBJECT_PLACE, rows: count, setsum: optional(isSetsum) })),
    }),
  ),
  jobs: listOf(
    object({
      ...{ jobId: text, kind: oneOf(JOB_KINDS), inputs: listOf(text) },
      ...{ claimedBy: text, claimedAtMs: time },
    }),
  ),
  manifests: listOf(text),
  retentionFloor: count,
  checkpoints: listOf(object(CHECKPOINT)),
  snapshots: listOf(
    object({
      name: text,
      createdAtMs: time,
      base: object(CHECKPOINT),
      through: object(LOG_POINT),
      requestId: optional(text),
    }),
  ),
  logBases: listOf(object({ throughSlot: count, folder: optional(hex), writtenFor: hex })),
  parents: listOf(object({ collectionId: hex, pinId: text })),
  detaches: optional(flag),
  books: optional(object({ logged: isSetsum, pruned: isSetsum })),
  requestWindows: listOf(object({ key: text, requests: count, throughSlot: count, newestMs: time })),
  sealed: flag,
};

function wrongField(value: JsonObject, shape: Shape): string | undefined {
  return Object.entries(shape).find(([name, check]) => !check(value[name]))?.[0];
}

function checkShape(value: JsonObject, shape: Shape, source: string): void {
  const field = wrongField(value, shape);
  if (field === undefined) return;
  throw new OmenError(
    'DATA_CORRUPTED',
    `${source} is damaged: field "${field}" is missing or not what it must be`,
  );
}
