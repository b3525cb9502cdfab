/*
 * Measures what queries miss: repeats a few of them exactly, on the same state of the collection, and
 * compares. No query fails because of that, and none waits for its own repetition.
 *
 * A repetition costs as much as comparing every record, so there is one at a time, only while no task waits
 * for an engine, at most one a second, and none before it was idle for 200 times as long as the last one
 * took: together at most half a percent of one engine. A query that comes meanwhile may have to wait for it,
 * so that share must stay well below one in a hundred, or the measuring would be what P99 shows. What asks
 * for less than the usual recall is not repeated: that it misses something is its own wish.
 */
import type { Snapshot } from '../core/collection/snapshot.js';
import type { SearchOutcome } from '../core/engine/tasks.js';
import { OmenError } from '../core/errors.js';
import type { Clock } from '../ports/clock.js';
import type { EnginePool } from '../ports/engine-pool.js';
import type { Logger } from '../ports/logger.js';
import type { Counter, Histogram, Metrics } from '../ports/metrics.js';
import type { Rng } from '../ports/rng.js';
import { countFailure } from './background-failures.js';
import { MissingObject } from './log/read-object.js';
import { Reading } from './tiers/reading.js';
import type { SnapshotTask } from './tiers/search-snapshot.js';
import { searchSnapshot } from './tiers/search-snapshot.js';
import type { Tiers } from './tiers/tiers.js';

/** Share of the nearest neighbours that a query is to find unless it says otherwise. */
export const RECALL_TARGET_DEFAULT = 0.95;

/** Neighbours that are looked at: those that people see. */
const NEIGHBOURS = 10;
const PAUSE_MS_MIN = 1000;
const PAUSE_PER_RUN = 200;

export interface RecallDependencies {
  readonly pool: EnginePool;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Share of the queries that are chosen, 0–1. */
  readonly share: number;
}

/** A query that was answered, and from what. */
export interface SampledQuery {
  readonly tiers: Tiers;
  readonly task: SnapshotTask;
  readonly snapshot: Snapshot;
}

export class RecallSampler {
  readonly #ratio: Histogram;
  readonly #samples: Readonly<Record<'measured' | 'skipped', Counter>>;
  readonly #end = new AbortController();
  #running: Promise<void> | null = null;
  /** `Clock.monotonic()` from which on there may be another one. */
  #nextMs = -Infinity;

  constructor(private readonly deps: RecallDependencies) {
    const samples = (outcome: 'measured' | 'skipped'): Counter =>
      deps.metrics.counter('omendb_query_recall_samples_total', { outcome });
    this.#ratio = deps.metrics.histogram('omendb_query_recall_ratio', {});
    this.#samples = { measured: samples('measured'), skipped: samples('skipped') };
  }

  /** Offers a query that was answered from `snapshot`, which is kept for as long as it is needed. */
  offer({ tiers, task, snapshot }: SampledQuery, found: SearchOutcome): void {
    const { share, rng } = this.deps;
    if (share === 0 || !isUsual(task) || rng.uint32() >= share * 2 ** 32) return;
    if (!this.#isTime()) {
      this.#samples.skipped.inc();
      return;
    }
    snapshot.retain();
    this.#running = this.#measure({ tiers, task, snapshot }, found).finally(() => {
      snapshot.release();
      this.#running = null;
    });
  }

  /** Ends the repetition under way and begins no more. */
  async close(): Promise<void> {
    this.#end.abort(new OmenError('DRAINING', 'the server is stopping'));
    await this.#running;
  }

  #isTime(): boolean {
    const { pool, clock } = this.deps;
    const free = this.#running === null && !this.#end.signal.aborted && pool.queued === 0;
    return free && clock.monotonic() >= this.#nextMs;
  }

  async #measure({ tiers, task, snapshot }: SampledQuery, found: SearchOutcome): Promise<void> {
    const { pool, clock, metrics, logger } = this.deps;
    const startedMs = clock.monotonic();
    let outcome: 'measured' | 'skipped' = 'skipped';
    try {
      const topK = Math.min(NEIGHBOURS, task.topK);
      const reading = new Reading('hot', this.#end.signal);
      const exactly = { ...task, topK, exact: true };
      const exact = await searchSnapshot({ pool, tiers }, exactly, snapshot, reading);
      const recall = recallOf(found, exact.timed.outcome);
      if (recall !== null) {
        this.#ratio.observe(recall);
        outcome = 'measured';
      }
    } catch (error) {
      // A segment that others merged away meanwhile leaves nothing to compare with.
      if (!this.#end.signal.aborted && !(error instanceof MissingObject)) {
        countFailure(metrics, 'recall', error);
        const message = error instanceof Error ? error.message : String(error);
        logger.warn('a query could not be repeated exactly', { error: message });
      }
    }
    this.#samples[outcome].inc();
    const endedMs = clock.monotonic();
    this.#nextMs = endedMs + Math.max(PAUSE_MS_MIN, PAUSE_PER_RUN * (endedMs - startedMs));
  }
}

/** Whether a search promises the usual recall or more, without being exact already. */
function isUsual({ exact, recallTarget, nprobe, rerank }: SnapshotTask): boolean {
  return !exact && recallTarget >= RECALL_TARGET_DEFAULT && nprobe === undefined && rerank === undefined;
}

/**
 * Share of the first hits of `exact` that are among the first of `found`; null when there are none. Of
 * records that are equally far, one is as good as the other.
 */
function recallOf(found: SearchOutcome, exact: SearchOutcome): number | null {
  const count = Math.min(NEIGHBOURS, exact.rows.length);
  if (count === 0) return null;
  const nearest = new Set<string>();
  for (let hit = 0; hit < count; hit++) nearest.add(`${exact.parts[hit]} ${exact.rows[hit]}`);
  const worst = exact.scores[count - 1] ?? Infinity;
  let hits = 0;
  for (let hit = 0; hit < Math.min(count, found.rows.length); hit++) {
    const isNearest = nearest.has(`${found.parts[hit]} ${found.rows[hit]}`);
    if (isNearest || (found.scores[hit] ?? -Infinity) >= worst) hits++;
  }
  return hits / count;
}
