/*
 * Runs the collector of one collection after flushes and merges: at most once in a while, because a pass
 * lists objects, and once more behind the last of them, so that nothing is left when the collection comes to
 * rest. Then there is no timer.
 */
import type { Metrics } from '../../ports/metrics.js';
import { countFailure } from '../background-failures.js';
import type { CollectorDeps, KeptVersion } from './collect-garbage.js';
import { collectCollection } from './collect-garbage.js';

export interface CollectorPolicy {
  /** How long the past stays readable. */
  readonly windowMs: number;
  /** Log slots kept for that at most. */
  readonly slotsMax: number;
  /** Shortest time from the end of one pass to the next. */
  readonly everyMs: number;
}

export class Collector {
  readonly #known = new Map<string, KeptVersion>();
  #running: Promise<void> | null = null;
  /** There was something to look at while a pass ran. */
  #again = false;
  #endedMs = -Infinity;
  #cancelTimer: (() => void) | null = null;
  #closed = false;

  constructor(
    private readonly deps: CollectorDeps & { readonly metrics: Metrics },
    private readonly policy: CollectorPolicy,
  ) {}

  /** Something may have become garbage. Resolves after the pass if one is due now. Never rejects. */
  async look(): Promise<void> {
    if (this.#closed || this.#cancelTimer !== null) return;
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    const waitMs = this.#endedMs + this.policy.everyMs - this.deps.clock.monotonic();
    if (waitMs <= 0) return this.#run();
    this.#cancelTimer = this.deps.scheduler.after(waitMs, () => {
      this.#cancelTimer = null;
      void this.look();
    });
  }

  /** Ends the pass under way and starts no more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    await this.#running;
  }

  #run(): Promise<void> {
    this.#again = false;
    this.#running = this.#pass().finally(() => {
      this.#running = null;
      if (this.#again) void this.look();
    });
    return this.#running;
  }

  /** What could not be removed now is removed by a later pass. */
  async #pass(): Promise<void> {
    try {
      const { windowMs, slotsMax } = this.policy;
      const removed = await collectCollection({ ...this.deps, known: this.#known }, { windowMs, slotsMax });
      this.deps.metrics.counter('omendb_garbage_objects_total', {}).inc(removed);
    } catch (error) {
      countFailure(this.deps.metrics, 'collect', error);
      this.deps.logger.warn('objects that nothing refers to could not be removed yet', {
        collection: this.deps.layout.id,
        error: error instanceof Error ? error.message : String(error),
      });
    }
    this.#endedMs = this.deps.clock.monotonic();
  }
}
