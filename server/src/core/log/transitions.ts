/*
 * All ways in which a root changes: pure functions from one root to the next, so that a lost compare-and-swap
 * is repeated on the new root, and a history can be replayed without a store.
 *
 * A transition either gives a root that keeps the invariants of invariants.ts or refuses with an `OmenError`:
 * `COLLECTION_NOT_FOUND` when the collection is sealed, `COLLECTION_BUSY` with `metadata.conflict` when its
 * premise no longer holds. Version and manifest are filled in by whoever commits.
 */
import { checkOpen, refused } from './conflict.js';
import type { Retention } from './retention.js';
import { withCheckpoint } from './retention.js';
import { Setsum } from './setsum.js';
import type { Books, DeletesRef, JobRef, LogPosition, RequestWindowRef, Root, SegmentRef } from './root.js';

/**
 * New deleted rows of a segment. `replaces` is the key of the deletes they were made from: none, or the
 * object they extend.
 */
export interface DeletesChange {
  readonly segmentKey: string;
  readonly replaces: string | null;
  readonly deletes: DeletesRef;
}

export interface Flush {
  readonly jobId: string;
  /** What was folded: the log from the root's floor up to here. */
  readonly through: LogPosition;
  /** The floor that the job began from. */
  readonly fromSlot: number;
  /** Null when everything folded was deletions. */
  readonly segment: SegmentRef | null;
  readonly deletes: readonly DeletesChange[];
  /** What is added to the books. Without it the collection keeps none from here on. */
  readonly books?: Books;
  /** Keeps the version that is left, if it is time for a checkpoint. */
  readonly retention?: Omit<Retention, 'nowMs'>;
  /** Replaces the present ones. */
  readonly requestWindows: readonly RequestWindowRef[];
}

export interface Merge {
  readonly jobId: string;
  /** The segments merged, with the key of the deletes that were taken into account. */
  readonly inputs: readonly { readonly key: string; readonly deletesKey: string | null }[];
  /** Null when no row was left. */
  readonly segment: SegmentRef | null;
}

/** Gives a job the right to publish. For a merge every input must be there and in no other job. */
export function registerJob(root: Root, job: JobRef): Root {
  checkOpen(root);
  if (root.jobs.some((other) => other.jobId === job.jobId)) {
    throw refused('job-exists', `job ${job.jobId} is registered already`);
  }
  for (const key of job.inputs) {
    if (!root.segments.some((segment) => segment.key === key)) {
      throw refused('segment-gone', `segment ${key} is not part of the collection any more`);
    }
    const other = root.jobs.find(({ inputs }) => inputs.includes(key));
    if (other !== undefined) throw refused('job-exists', `segment ${key} is an input of job ${other.jobId}`);
  }
  return { ...root, jobs: [...root.jobs, job] };
}

/** Takes the right away. A job that is not registered is no error: the aim is reached. */
export function revokeJob(root: Root, jobId: string): Root {
  if (!root.jobs.some((job) => job.jobId === jobId)) return root;
  return { ...root, jobs: root.jobs.filter((job) => job.jobId !== jobId) };
}

/** Moves the floor of the log and adds what was folded. */
export function publishFlush(root: Root, flush: Flush): Root {
  checkOpen(root);
  checkJob(root, flush.jobId);
  if (root.walFloor !== flush.fromSlot || flush.through.slot < root.walFloor) {
    throw refused(
      'floor-moved',
      `the log is folded up to slot ${root.walFloor}, the job began at ${flush.fromSlot}`,
    );
  }
  const segments = applyDeletes(root.segments, flush.deletes);
  const { books, ...rest } = root;
  return {
    ...rest,
    walFloor: flush.through.slot,
    walFloorHash: flush.through.hash,
    foldedSequence: flush.through.sequence,
    floorTimeMs: flush.through.timeMs,
    checkpoints: flush.retention === undefined ? root.checkpoints : withCheckpoint(root, flush.retention),
    logBases: root.logBases.filter(({ throughSlot }) => throughSlot > flush.through.slot),
    segments: flush.segment === null ? segments : [...segments, flush.segment],
    jobs: root.jobs.filter((job) => job.jobId !== flush.jobId),
    ...(books === undefined || flush.books === undefined ? {} : { books: addBooks(books, flush.books) }),
    requestWindows: flush.requestWindows,
  };
}

/**
 * Puts one segment in the place of several. Refuses with `deletes-changed` when an input lost rows meanwhile.
 */
export function publishMerge(root: Root, merge: Merge): Root {
  checkOpen(root);
  checkJob(root, merge.jobId);
  for (const input of merge.inputs) {
    const segment = root.segments.find(({ key }) => key === input.key);
    if (segment === undefined) throw refused('segment-gone', `segment ${input.key} was replaced meanwhile`);
    if ((segment.deletes?.key ?? null) !== input.deletesKey) {
      throw refused('deletes-changed', `rows of segment ${input.key} were deleted meanwhile`);
    }
  }
  const gone = new Set(merge.inputs.map(({ key }) => key));
  const kept = root.segments.filter(({ key }) => !gone.has(key));
  return {
    ...root,
    segments: merge.segment === null ? kept : [...kept, merge.segment],
    jobs: root.jobs.filter((job) => job.jobId !== merge.jobId),
  };
}

/** Lets versions below `version` be collected. Never goes back and never past the present version. */
export function raiseRetention(root: Root, version: number): Root {
  const floor = Math.min(version, root.version);
  return floor <= root.retentionFloor ? root : { ...root, retentionFloor: floor };
}

/** Ends the collection: no job may publish and no write is acknowledged from here on. */
export function seal(root: Root): Root {
  return root.sealed ? root : { ...root, sealed: true, jobs: [] };
}

function addBooks(books: Books, more: Books): Books {
  const sum = (a: string, b: string): string => Setsum.parse(a).plus(Setsum.parse(b)).toString();
  return { logged: sum(books.logged, more.logged), pruned: sum(books.pruned, more.pruned) };
}

function checkJob(root: Root, jobId: string): void {
  if (root.jobs.some((job) => job.jobId === jobId)) return;
  throw refused('job-revoked', `job ${jobId} was revoked or has published already`);
}

function applyDeletes(segments: readonly SegmentRef[], changes: readonly DeletesChange[]): SegmentRef[] {
  const byKey = new Map(changes.map((change) => [change.segmentKey, change]));
  const changed = segments.map((segment) => {
    const change = byKey.get(segment.key);
    if (change === undefined) return segment;
    byKey.delete(segment.key);
    if ((segment.deletes?.key ?? null) !== change.replaces) {
      throw refused('deletes-changed', `rows of segment ${segment.key} were deleted meanwhile`);
    }
    return { ...segment, deletes: change.deletes, liveRows: segment.rows - change.deletes.rows };
  });
  const [missing] = byKey.keys();
  if (missing !== undefined) throw refused('segment-gone', `segment ${missing} was replaced meanwhile`);
  return changed;
}
