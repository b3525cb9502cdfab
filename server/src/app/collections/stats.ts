import type { Root } from '../../core/log/root.js';
import type { CollectionStats, MaintenanceJob } from '../api.js';
import type { Collection } from './collection.js';

/** What the collection holds and where, as of now. */
export function collectionStats({ state, upkeep, root }: Collection): CollectionStats {
  const memtables = [state.memtable, ...state.frozen.map((frozen) => frozen.memtable)];
  const unindexedRecords = memtables.reduce((sum, memtable) => sum + memtable.live, 0);
  const { segments } = state;
  const resident = segments.reduce(
    (sum, { residentBytes, bytes }) => sum + Math.min(residentBytes, bytes),
    0,
  );
  const hot = resident + memtables.reduce((sum, memtable) => sum + memtable.bytes, 0);
  const cold = segments.reduce((sum, { bytes }) => sum + bytes, 0) - resident;
  return {
    records: state.records,
    unindexedRecords,
    segments: segments.length,
    bytes: upkeep.storedBytes,
    // What the cache on disk holds is not told apart by collection.
    tiers: { hot, warm: 0, cold },
    sequenceNumber: state.sequence,
    unfoldedBytes: upkeep.unfoldedBytes,
    jobs: jobsOf(root),
    snapshots: root.snapshots.length,
    readableFromMs: root.checkpoints[0]?.floorTimeMs ?? root.floorTimeMs,
  };
}

function jobsOf({ jobs, segments }: Root): MaintenanceJob[] {
  const bytes = new Map(segments.map((segment) => [segment.key, segment.bytes]));
  return jobs.map(({ jobId, kind, claimedBy, claimedAtMs, inputs }) => ({
    ...{ jobId, kind, claimedBy, startedAtMs: claimedAtMs, inputs: inputs.length },
    inputBytes: inputs.reduce((sum, key) => sum + (bytes.get(key) ?? 0), 0),
  }));
}
