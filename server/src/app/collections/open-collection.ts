/*
 * Opens a collection: segments and remembered requests from the root, everything newer from the log.
 */
import { CollectionState } from '../../core/collection/state.js';
import type { CollectionName } from '../../core/ids.js';
import type { Root } from '../../core/log/root.js';
import { revokeJob } from '../../core/log/transitions.js';
import type { CatalogEntry } from '../log/catalog.js';
import { CommitLoop } from '../log/commit-loop.js';
import type { CommitSeries } from '../log/commit-series.js';
import type { CollectionLayout, ObjectLayout } from '../log/object-layout.js';
import { newNonce } from '../log/object-layout.js';
import type { RootSnapshot } from '../log/root-store.js';
import { RootStore } from '../log/root-store.js';
import { Collector } from '../maintenance/collector.js';
import { Upkeep } from '../maintenance/upkeep.js';
import type { Tiers } from '../tiers/tiers.js';
import type { AppDependencies } from '../dependencies.js';
import { applySlot } from './apply-slot.js';
import { Collection } from './collection.js';
import { STALENESS_MS } from './freshness.js';
import { History } from './history.js';
import { adopt, loadSegments } from './load-state.js';
import { readObject } from '../log/read-object.js';
import { RequestWindow } from './request-window.js';
import { States } from './states.js';
import { decodeRequestWindow } from './request-window-codec.js';

/** Passes over a bucket are paid by the request, those over a local folder are not. */
const COLLECT_MS = 60_000;

/** Log slots kept for reads of the past: a folder of more files is slow to list, a bucket is not. */
const RETENTION_SLOTS_OWN = 65_536;
const RETENTION_SLOTS_SHARED = 1_000_000;

export interface OpenDependencies extends AppDependencies {
  readonly layout: ObjectLayout;
  readonly series: CommitSeries;
  readonly tiers: Tiers;
  /** Numbers for memtables and segments, never given twice. */
  readonly nextTag: () => number;
  /** Closes other collections that rest, to make room in memory. Resolves to how many. */
  readonly relieve: () => Promise<number>;
  /** Called when it shows that another server has deleted the collection. */
  readonly gone: () => void;
}

/** Throws `COLLECTION_NOT_FOUND` when it was deleted, `MEMORY_EXHAUSTED`, `DATA_CORRUPTED`. */
export async function openCollection(deps: OpenDependencies, entry: CatalogEntry): Promise<Collection> {
  const { clock, scheduler, metrics } = deps;
  const startedMs = clock.monotonic();
  const { dimensions, metric, name, createdAtMs } = entry.schema;
  const layout = deps.layout.collection(entry.id);
  const rootStore = new RootStore({ ...deps, layout });
  const window = new RequestWindow();
  const states = new States(() => new CollectionState(deps.pool.arena, dimensions, metric, deps.nextTag));
  const retentionSlots = deps.ownsStore ? RETENTION_SLOTS_OWN : RETENTION_SLOTS_SHARED;
  const collector = new Collector(
    { ...deps, layout, rootStore },
    { windowMs: deps.retentionMs, slotsMax: retentionSlots, everyMs: deps.ownsStore ? 0 : COLLECT_MS },
  );
  const upkeep = new Upkeep({
    ...deps,
    layout,
    rootStore,
    get state() {
      return states.state;
    },
    window,
    retentionSlots,
    // Readable, and another one after every start: what a server of the same name had begun has ended with
    // it.
    owner: deps.serverName ? `${deps.serverName}/${newNonce(deps.rng)}` : newNonce(deps.rng),
    runningJobs: new Set(),
    adopt: (key, built, region, deleted) =>
      adopt(deps, { key, location: layout.absolute(key), bytes: built.bytes, region, deleted }),
    // On a bucket a pass takes seconds: folds go on meanwhile.
    collect: async () => (deps.ownsStore ? collector.look() : void collector.look()),
    reload: async () => void (await loop.recover()),
  });
  const loop: CommitLoop = new CommitLoop({
    ...deps,
    layout,
    rootStore,
    dimensions,
    alone: deps.ownsStore,
    thorough: deps.ownsStore,
    ready: (slot) => deps.tiers.resolve(states.written, slot.writes.ids),
    apply: (slot) => {
      states.withRoom(() => applySlot(states.written, window, slot));
      if (!states.replayed(slot, (memtable) => upkeep.isFull(memtable))) upkeep.slotApplied(slot);
    },
    reset: (snapshot) => load(deps, layout, { states, window }, snapshot),
    recovered: () => {
      const { slots, through, forgotten, flushes } = states.swap();
      deps.pool.forget(forgotten);
      upkeep.restart(slots, through, flushes);
    },
  });
  try {
    await loop.recover();
    // Jobs of a process that is gone would keep their inputs from being merged.
    if (deps.ownsStore) await rootStore.commit(revokeAllJobs);
  } catch (error) {
    await upkeep.close();
    states.release();
    throw error;
  }
  const history = new History({
    ...{ ...deps, layout, rootStore, name, dimensions, metric },
    present: () => states.state.segments,
  });
  const info = { name: name as CollectionName, dimensions, metric, createdAtMs };
  metrics.histogram('omendb_recovery_seconds', {}).observe((clock.monotonic() - startedMs) / 1000);
  const alone = deps.ownsStore;
  return new Collection({
    ...{ id: entry.id, info, present: states, rootStore, loop, window, upkeep, collector, history },
    ...{ tiers: deps.tiers, clock, scheduler, metrics, alone, stalenessMs: deps.stalenessMs ?? STALENESS_MS },
  });
}

function revokeAllJobs(root: Root): Root {
  return root.jobs.reduce((next, { jobId }) => revokeJob(next, jobId), root);
}

interface Memory {
  readonly states: States;
  readonly window: RequestWindow;
}

async function load(
  deps: OpenDependencies,
  layout: CollectionLayout,
  { states, window }: Memory,
  { root }: RootSnapshot,
): Promise<void> {
  const state = states.begin();
  const remembered = await Promise.all(
    root.requestWindows.map(async ({ key }) =>
      decodeRequestWindow(await readObject(deps, layout.absolute(key)), key),
    ),
  );
  for (const request of remembered.flat()) window.add(request);
  await loadSegments(deps, layout, root, { state, present: states.state.segments });
}
