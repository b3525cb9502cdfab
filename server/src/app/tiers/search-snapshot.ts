/*
 * A search of one state of a collection, wherever its segments are: in one task when all are in memory, in
 * stages when some are not, and when every record is to be compared, part after part.
 */
import type { Snapshot } from '../../core/collection/snapshot.js';
import type { Part, SearchOutcome, SearchTask } from '../../core/engine/tasks.js';
import type { EnginePool, Timed } from '../../ports/engine-pool.js';
import type { PartialReason } from '../api.js';
import { joinHits, renumbered } from './join-hits.js';
import type { Reading } from './reading.js';
import { searchStaged } from './staged-search.js';
import type { PartGroup, Tiers } from './tiers.js';

/** A search without the parts it goes through. */
export type SnapshotTask = Omit<SearchTask, 'parts'>;

/** What was found, and whether something was left out that the recall asked for. */
export interface SnapshotSearch {
  readonly timed: Timed<SearchOutcome>;
  readonly partial: PartialReason | null;
}

/** Parts in the outcome are numbered as in the snapshot. */
export async function searchSnapshot(
  { pool, tiers }: { readonly pool: EnginePool; readonly tiers: Tiers },
  task: SnapshotTask,
  snapshot: Snapshot,
  reading: Reading,
): Promise<SnapshotSearch> {
  const { parts } = snapshot;
  if (areWhole(parts)) {
    return { timed: await pool.search({ ...task, parts }, reading.signal), partial: null };
  }
  const { cache, segments } = tiers;
  if (!task.exact) return searchStaged({ pool, cache, segments }, task, snapshot, reading);
  reading.waitedFor('cold');
  const searchIn = async ({ parts: own, indexes }: PartGroup): Promise<Timed<SearchOutcome>> => {
    const timed = await pool.search({ ...task, parts: own }, reading.signal);
    return { ...timed, outcome: renumbered(timed.outcome, indexes) };
  };
  const groups = await tiers.eachGroup(snapshot, searchIn, reading.signal);
  return { timed: joined(groups, task.topK), partial: null };
}

function areWhole(parts: Snapshot['parts']): parts is readonly Part[] {
  return parts.every(({ kind }) => kind !== 'paged');
}

function joined(groups: readonly Timed<SearchOutcome>[], topK: number): Timed<SearchOutcome> {
  const hits = joinHits(
    groups.map(({ outcome }) => outcome),
    topK,
  );
  const sum = (of: (timed: Timed<SearchOutcome>) => number): number =>
    groups.reduce((total, timed) => total + of(timed), 0);
  return {
    outcome: {
      ...{ ...hits, exact: groups.every(({ outcome }) => outcome.exact) },
      candidates: sum(({ outcome }) => outcome.candidates),
    },
    queueMs: sum(({ queueMs }) => queueMs),
    engineMs: sum(({ engineMs }) => engineMs),
  };
}
