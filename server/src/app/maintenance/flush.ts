/*
 * Folds a frozen memtable into a segment: afterwards the root describes exactly the writes up to `through`,
 * and the log behind is not needed.
 */
import type { CollectionState, FrozenMemtable } from '../../core/collection/state.js';
import type { OpenSegment } from '../../core/collection/open-segment.js';
import type { Books, DeletesRef, LogPosition } from '../../core/log/root.js';
import { Setsum } from '../../core/log/setsum.js';
import type { DeletesChange } from '../../core/log/transitions.js';
import { publishFlush } from '../../core/log/transitions.js';
import type { Exclusive, UpkeepDependencies } from './dependencies.js';
import { expectPresent } from './dependencies.js';
import type { Built } from './job.js';
import { buildAndPut, putDeletes, segmentRef, withJob } from './job.js';
import { writeRequestWindow } from './write-request-window.js';

export async function runFlush(
  deps: UpkeepDependencies,
  frozen: FrozenMemtable,
  through: LogPosition,
  exclusive: Exclusive,
): Promise<void> {
  const { tag } = frozen.memtable;
  const { state } = deps;
  // In turn, so that a merge of this server is in memory if it is in the root.
  const { root } = await exclusive(() => deps.rootStore.refresh());
  const fromSlot = root.walFloor;
  const named = new Set(root.segments.map(({ key }) => key));
  if (fromSlot !== state.foldedSlot || state.segments.some(({ key }) => !named.has(key))) {
    // Folded or merged by an earlier try whose answer was lost, or by another process: memory has to learn of
    // it.
    await deps.reload();
    return;
  }
  if (through.slot <= fromSlot) return;
  await withJob(deps, 'flush', [], async (jobId) => {
    const part = { ...frozen.memtable.part(), deleted: frozen.mask.pointer, deletedRows: frozen.mask.count };
    const built = await buildAndPut(deps, { jobId, parts: [part], lane: 'flush' });
    try {
      await exclusive(() => publish(deps, { jobId, frozen, through, fromSlot, state, built }));
    } catch (error) {
      built?.region.release();
      throw error;
    }
  });
  deps.pool.forget([tag]);
  await deps.collect();
}

interface Publication {
  readonly jobId: string;
  readonly frozen: FrozenMemtable;
  readonly through: LogPosition;
  /** The floor that the fold begins at. */
  readonly fromSlot: number;
  readonly state: CollectionState;
  readonly built: Built | null;
}

async function publish(deps: UpkeepDependencies, publication: Publication): Promise<void> {
  const { jobId, frozen, through, fromSlot, state, built } = publication;
  const { rootStore } = deps;
  expectPresent(deps, state);
  const { changes, persisted } = await writeDeletes(deps, jobId, through.sequence);
  const requestWindows = await writeRequestWindow(deps, jobId, through.slot);
  await rootStore.commit((root) =>
    publishFlush(root, {
      jobId,
      through,
      fromSlot,
      segment: built === null ? null : segmentRef(built, jobId, 0),
      deletes: changes,
      books: booksOf(frozen, persisted),
      retention: { windowMs: deps.retentionMs, slotsMax: deps.retentionSlots },
      requestWindows,
    }),
  );
  expectPresent(deps, state);
  const segment = built === null ? null : deps.adopt(built.key, built.segment, built.region, []);
  for (const [open, rows] of persisted) open.markPersisted(rows);
  state.publishFlush(frozen, segment, through.slot);
}

/** What the fold adds to the books, from what was applied and not from what was built of it. */
function booksOf(
  { memtable }: FrozenMemtable,
  persisted: ReadonlyMap<OpenSegment, readonly number[]>,
): Books {
  const { logged, pruned } = memtable.books;
  let gone = pruned;
  for (const [segment, rows] of persisted) gone = gone.plus(segment.setsumOf(rows));
  return { logged: logged.toString(), pruned: gone.toString() };
}

/** Deletion vectors of the segments that lost rows through writes up to `sequence`. */
async function writeDeletes(
  deps: UpkeepDependencies,
  jobId: string,
  sequence: number,
): Promise<{ readonly changes: DeletesChange[]; readonly persisted: Map<OpenSegment, readonly number[]> }> {
  const changes: DeletesChange[] = [];
  const persisted = new Map<OpenSegment, readonly number[]>();
  const refs = new Map(deps.rootStore.current?.root.segments.map((ref) => [ref.key, ref]));
  for (const segment of deps.state.segments) {
    const rows = segment.pendingUpTo(sequence);
    if (rows.length === 0) continue;
    const before = refs.get(segment.key)?.deletes;
    const sum = (await sumBefore(deps, segment, before)).plus(segment.setsumOf(rows));
    const { key } = segment;
    const deleted = { key, rows: segment.rows, setsumOf: () => sum };
    const deletes = await putDeletes(deps, jobId, changes.length, deleted, [...segment.persisted, ...rows]);
    changes.push({ segmentKey: key, replaces: before?.key ?? null, deletes });
    persisted.set(segment, rows);
  }
  return { changes, persisted };
}

/** Of the rows that the root calls deleted. */
async function sumBefore(
  deps: UpkeepDependencies,
  segment: OpenSegment,
  deletes: DeletesRef | undefined,
): Promise<Setsum> {
  if (segment.persisted.count === 0) return new Setsum();
  if (deletes?.setsum !== undefined) return Setsum.parse(deletes.setsum);
  const { view, release } = await deps.tiers.whole(segment);
  try {
    return view.setsumOf(segment.persisted);
  } finally {
    release();
  }
}
