/*
 * What of a collection's past stays readable, as pure changes of its root.
 *
 * A moment of the past is a version that was kept, plus the log from that version's floor up to the moment.
 * So not every version has to be kept, only one now and then: a checkpoint. Reading the past replays at most
 * what lies between two checkpoints.
 */
import { OmenError } from '../errors.js';
import { checkOpen, refused } from './conflict.js';
import type { Checkpoint, LogPosition, Root, SnapshotRef } from './root.js';
import { checkpointOf } from './root.js';

/** How long the past stays readable. */
export interface Retention {
  readonly nowMs: number;
  /** 0: only the present and snapshots. */
  readonly windowMs: number;
  /** Log slots kept for it at most: a writer of single records makes millions of objects a day. */
  readonly slotsMax: number;
}

/** Snapshots of one collection: each is an entry of the root, which is read and written whole. */
export const SNAPSHOTS_MAX = 256;
/** Checkpoints of one collection, likewise. */
const CHECKPOINTS_MAX = 128;
/** Checkpoints that a window is divided into, by time and by slots. */
const CHECKPOINTS_PER_WINDOW = 96;
const CHECKPOINTS_PER_SLOTS = 16;
/** Writes after which a checkpoint is made in any case: bounds what a read of the past replays. */
const CHECKPOINT_WRITES = 500_000;

/** The checkpoints of the next version: with the present one when the last is old enough. */
export function withCheckpoint(
  root: Root,
  { windowMs, slotsMax }: Omit<Retention, 'nowMs'>,
): readonly Checkpoint[] {
  const last = root.checkpoints.at(-1);
  if (windowMs <= 0 || last?.version === root.version) return root.checkpoints;
  const due =
    last === undefined ||
    root.floorTimeMs - last.floorTimeMs >= windowMs / CHECKPOINTS_PER_WINDOW ||
    root.walFloor - last.walFloor >= slotsMax / CHECKPOINTS_PER_SLOTS ||
    root.foldedSequence - last.foldedSequence >= CHECKPOINT_WRITES;
  return due ? thinned([...root.checkpoints, checkpointOf(root)]) : root.checkpoints;
}

/**
 * Lets go of checkpoints that no moment of the window needs. The newest one that is older than the window
 * stays: the window begins between it and the next.
 */
export function expireCheckpoints(root: Root, { nowMs, windowMs, slotsMax }: Retention): Root {
  const start = nowMs - windowMs;
  const versions = [...root.checkpoints, checkpointOf(root)];
  const before = versions.findLastIndex(({ floorTimeMs }) => floorTimeMs <= start);
  const few = versions.findIndex(({ walFloor }) => root.walFloor - walFloor <= slotsMax);
  const first = Math.max(before, few);
  return first <= 0 ? root : { ...root, checkpoints: root.checkpoints.slice(first) };
}

/**
 * Keeps the moment `through` of the present version. Refuses with `floor-moved` when that is folded further
 * already, with `SNAPSHOT_EXISTS` when there is one of that name, with `CONDITION_FAILED` when there are too
 * many.
 */
export function addSnapshot(
  root: Root,
  snapshot: Pick<SnapshotRef, 'name' | 'createdAtMs' | 'requestId'> & { readonly through: LogPosition },
): Root {
  checkOpen(root);
  const { name, createdAtMs, requestId, through } = snapshot;
  const present = root.snapshots.find((other) => other.name === name);
  if (present?.requestId !== undefined && present.requestId === requestId) return root;
  if (present !== undefined) {
    throw new OmenError('SNAPSHOT_EXISTS', `snapshot "${name}" exists already`, { field: 'name' });
  }
  if (root.snapshots.length >= SNAPSHOTS_MAX) {
    const text = `the collection has ${SNAPSHOTS_MAX} snapshots, the most that are allowed: delete one first`;
    throw new OmenError('CONDITION_FAILED', text, { field: 'name' });
  }
  if (root.walFloor > through.slot) throw refused('floor-moved', `slot ${through.slot} is folded already`);
  const { slot, sequence, timeMs } = through;
  const added: SnapshotRef = {
    ...{ name, createdAtMs, base: checkpointOf(root), through: { slot, sequence, timeMs } },
    ...(requestId === undefined ? {} : { requestId }),
  };
  return { ...root, snapshots: [...root.snapshots, added] };
}

/** Lets go of a snapshot. One that is not there is no error: the aim is reached. */
export function removeSnapshot(root: Root, name: string): Root {
  const snapshots = root.snapshots.filter((other) => other.name !== name);
  return snapshots.length === root.snapshots.length ? root : { ...root, snapshots };
}

/** Whether a version, with the log behind its floor, is still kept by a root. */
export function keeps(root: Root, version: number): boolean {
  return (
    version >= root.retentionFloor ||
    root.checkpoints.some((checkpoint) => checkpoint.version === version) ||
    root.snapshots.some(({ base }) => base.version === version)
  );
}

/** With too many, every second one of the older half goes. */
function thinned(checkpoints: readonly Checkpoint[]): readonly Checkpoint[] {
  if (checkpoints.length <= CHECKPOINTS_MAX) return checkpoints;
  return checkpoints.filter((_, index) => index === 0 || index % 2 === 0 || index > CHECKPOINTS_MAX / 2);
}
