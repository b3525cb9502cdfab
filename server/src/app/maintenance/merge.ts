/*
 * Makes one segment of several. Rows whose deletion the root knows are left out; rows that were deleted since
 * are taken along and deleted again in the new segment, each by the write that deleted it, so that the root
 * goes on describing one moment of the history.
 */
import type { OpenSegment } from '../../core/collection/open-segment.js';
import type { CollectionState } from '../../core/collection/state.js';
import { OmenError } from '../../core/errors.js';
import type { Arena } from '../../core/memory/arena.js';
import type { RowMask } from '../../core/memory/row-mask.js';
import { publishMerge } from '../../core/log/transitions.js';
import type { SegmentView } from '../../core/segment/segment-view.js';
import { openSegment } from '../../core/segment/segment-view.js';
import type { WholeSegment } from '../tiers/tiers.js';
import type { Exclusive, UpkeepDependencies } from './dependencies.js';
import { expectPresent } from './dependencies.js';
import type { Built } from './job.js';
import { buildAndPut, putDeletes, segmentRef, withJob } from './job.js';

export async function runMerge(
  deps: UpkeepDependencies,
  inputs: readonly OpenSegment[],
  exclusive: Exclusive,
): Promise<void> {
  const keys = inputs.map(({ key }) => key);
  const { state } = deps;
  const masks = new Map(inputs.map((input) => [input, input.persisted.clone()]));
  const bodies = new Map<OpenSegment, WholeSegment>();
  try {
    const { root } = await deps.rootStore.refresh();
    const present = new Set(root.segments.map(({ key }) => key));
    if (keys.some((key) => !present.has(key)) || root.walFloor !== state.foldedSlot) {
      // Merged or folded by an earlier try whose answer was lost, or by another process.
      await deps.reload();
      return;
    }
    await withJob(deps, 'merge', keys, async (jobId) => {
      // A reload may let go of the inputs while the merge reads them.
      for (const input of inputs) bodies.set(input, await deps.tiers.whole(input));
      const parts = inputs.map((input) =>
        input.partWith(masks.get(input) ?? input.persisted, bodies.get(input)),
      );
      const built = await buildAndPut(deps, { jobId, parts, lane: 'merge' });
      try {
        await exclusive(() => publish(deps, { jobId, masks, bodies, state, built }));
      } catch (error) {
        built?.region.release();
        throw error;
      }
    });
  } finally {
    for (const mask of masks.values()) mask.release();
    for (const body of bodies.values()) body.release();
  }
  deps.pool.forget(inputs.map(({ tag }) => tag));
  await deps.collect();
}

interface Publication {
  readonly jobId: string;
  /** The inputs with the deleted rows that the new segment leaves out. */
  readonly masks: ReadonlyMap<OpenSegment, RowMask>;
  /** All of the inputs, in memory. */
  readonly bodies: ReadonlyMap<OpenSegment, WholeSegment>;
  readonly state: CollectionState;
  readonly built: Built | null;
}

async function publish(deps: UpkeepDependencies, publication: Publication): Promise<void> {
  const { jobId, masks, bodies, state, built } = publication;
  const { rootStore, pool } = deps;
  expectPresent(deps, state);
  const root = rootStore.current?.root;
  if (root?.walFloor !== state.foldedSlot) {
    // The rows that memory knows to be deleted are those of the root only while both are folded alike.
    throw new OmenError('COLLECTION_BUSY', 'the log was folded by another server', { retryAfterMs: 100 });
  }
  const refs = new Map(root.segments.map((ref) => [ref.key, ref]));
  const view = built === null ? null : viewOf(pool.arena, built);
  const deleted = view === null ? [] : movedDeletes(masks, bodies, view);
  const deletes =
    built === null || view === null || deleted.length === 0
      ? undefined
      : await putDeletes(
          ...([deps, jobId, 0] as const),
          { key: built.key, rows: view.rows, setsumOf: (rows) => view.setsumOf(rows) },
          deleted,
        );
  const inputs = [...masks.keys()].map(({ key }) => ({
    key,
    deletesKey: refs.get(key)?.deletes?.key ?? null,
  }));
  const level = 1 + Math.max(...inputs.map(({ key }) => refs.get(key)?.level ?? 0));
  await rootStore.commit((root) =>
    publishMerge(root, {
      jobId,
      inputs,
      segment: built === null ? null : segmentRef(built, jobId, level, deletes),
    }),
  );
  expectPresent(deps, state);
  const segment = built === null ? null : deps.adopt(built.key, built.segment, built.region, deleted);
  state.publishMerge(new Map([...masks.keys()].map((input) => [input, input.pending])), segment);
}

function viewOf(arena: Arena, built: Built): SegmentView {
  return openSegment(arena.bytes(built.segment.pointer, built.segment.bytes), { verify: false });
}

/** Rows of the new segment whose deletion a flush has persisted while the merge ran. */
function movedDeletes(
  masks: Publication['masks'],
  bodies: Publication['bodies'],
  view: SegmentView,
): number[] {
  const moved: number[] = [];
  for (const [input, mask] of masks) {
    if (input.persisted.count === mask.count) continue;
    for (const row of input.persisted) {
      if (!mask.has(row)) moved.push(view.find((bodies.get(input) ?? input).view.idOf(row)));
    }
  }
  return moved;
}
