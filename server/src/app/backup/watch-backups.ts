/*
 * Tells when the store was last backed up. The marks are looked at when the metrics are asked for, in the
 * background and once in a while: a server that nobody asks sends no request.
 */
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { Metrics } from '../../ports/metrics.js';
import type { ObjectStore } from '../../ports/object-store.js';
import { countFailure } from '../background-failures.js';
import type { BackupMarks } from './backup-marks.js';
import { readBackupMarks } from './backup-marks.js';

export interface BackupWatchDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Shortest time from one look to the next. */
  readonly everyMs: number;
}

export class BackupWatch {
  #known: BackupMarks | null = null;
  #looking: Promise<void> | null = null;
  #nextMs = -Infinity;
  #closed = false;

  constructor(private readonly deps: BackupWatchDeps) {
    const { metrics } = deps;
    const success = metrics.gauge('omendb_backup_last_success_timestamp_seconds', {});
    const attempt = metrics.gauge('omendb_backup_last_attempt_timestamp_seconds', {});
    const duration = metrics.gauge('omendb_backup_duration_seconds', {});
    metrics.onScrape(() => {
      this.#lookIfDue();
      // Before the first look nothing is known, which is not the same as never.
      if (this.#known === null) return;
      const { begunAtMs, ended } = this.#known;
      success.set((ended?.endedAtMs ?? 0) / 1000);
      attempt.set((begunAtMs ?? 0) / 1000);
      duration.set((ended?.tookMs ?? 0) / 1000);
    });
  }

  /** Ends the look under way and begins no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#looking;
  }

  #lookIfDue(): void {
    const { clock, everyMs } = this.deps;
    const nowMs = clock.monotonic();
    if (this.#closed || this.#looking !== null || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + everyMs;
    this.#looking = this.#look().finally(() => (this.#looking = null));
  }

  async #look(): Promise<void> {
    const { store, metrics, logger } = this.deps;
    try {
      this.#known = await readBackupMarks(store, this.#known);
    } catch (error) {
      countFailure(metrics, 'backup_mark', error);
      const message = error instanceof Error ? error.message : String(error);
      logger.warn('it could not be told when the last backup was made', { error: message });
    }
  }
}
