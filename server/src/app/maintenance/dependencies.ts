import type { OpenSegment } from '../../core/collection/open-segment.js';
import type { CollectionState } from '../../core/collection/state.js';
import { OmenError } from '../../core/errors.js';
import type { Region } from '../../core/memory/arena.js';
import type { BuiltSegment } from '../../core/engine/tasks.js';
import type { Clock } from '../../ports/clock.js';
import type { EnginePool } from '../../ports/engine-pool.js';
import type { Logger } from '../../ports/logger.js';
import type { Metrics } from '../../ports/metrics.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { CollectionLayout } from '../log/object-layout.js';
import type { RootStore } from '../log/root-store.js';
import type { Tiers } from '../tiers/tiers.js';
import type { RequestWindow } from '../collections/request-window.js';

/** What upkeep of one collection works with. */
export interface UpkeepDependencies {
  readonly store: ObjectStore;
  readonly pool: EnginePool;
  readonly tiers: Tiers;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly layout: CollectionLayout;
  readonly rootStore: RootStore;
  /** The state that is being read now: another one after a reload. */
  readonly state: CollectionState;
  readonly window: RequestWindow;
  /** Names this opening of the collection in the jobs it registers. */
  readonly owner: string;
  /** Jobs of this owner that are under way. */
  readonly runningJobs: Set<string>;
  /** How long the past stays readable, in milliseconds. */
  readonly retentionMs: number;
  /** Log slots kept for that at most. */
  readonly retentionSlots: number;
  /** Slots after which the log is folded even when it is small. */
  readonly foldSlots: number;
  /** Rows after which a memtable is folded. */
  readonly flushRows?: number;
  /** Rows from which on a segment is clustered. */
  readonly clusterFromRows?: number;
  /** Brings a segment that lies in the arena into the collection. */
  readonly adopt: (
    key: string,
    built: BuiltSegment,
    region: Region,
    deletedRows: Iterable<number>,
  ) => OpenSegment;
  /** Reads the state anew from the root and the log: for when a commit succeeded whose answer was lost. */
  readonly reload: () => Promise<void>;
  /** Closes collections at rest, to make room in memory. Resolves to how many. */
  readonly relieve: () => Promise<number>;
  /** The collection was deleted by another server. */
  readonly gone: () => void;
  /** Removes objects that nothing refers to any more. */
  readonly collect: () => Promise<void>;
}

/** Throws `COLLECTION_BUSY` when the collection was read anew since `state` was the present one. */
export function expectPresent(deps: UpkeepDependencies, state: CollectionState): void {
  if (deps.state === state) return;
  throw new OmenError('COLLECTION_BUSY', 'the collection was read anew meanwhile', { retryAfterMs: 100 });
}

/** Runs `task` while no other change of root and state is under way. */
export type Exclusive = <T>(task: () => Promise<T>) => Promise<T>;
