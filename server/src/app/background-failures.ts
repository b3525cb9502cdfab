import { OmenError } from '../core/errors.js';
import type { LabelsOf } from '../core/metrics/catalog.js';
import type { Metrics } from '../ports/metrics.js';

/** Work that no request waits for. */
export type BackgroundTask = LabelsOf<'omendb_background_failures_total'>['task'];

/** Counts a failure where it is handled, so each once. */
export function countFailure(metrics: Metrics, task: BackgroundTask, error: unknown): void {
  const type = error instanceof OmenError ? error.row.type : 'internal';
  metrics.counter('omendb_background_failures_total', { task, type }).inc();
}
