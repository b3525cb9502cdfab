import type { LabelsOf } from '../../core/metrics/catalog.js';
import type { Counter, Histogram, Metrics } from '../../ports/metrics.js';

/** What commits record: made once, and shared by all collections. */
export interface CommitSeries {
  readonly seconds: Readonly<Record<LabelsOf<'omendb_commit_seconds'>['stage'], Histogram>>;
  readonly conflicts: Readonly<Record<LabelsOf<'omendb_commit_conflicts_total'>['kind'], Counter>>;
}

export function commitSeries(metrics: Metrics): CommitSeries {
  const seconds = (stage: keyof CommitSeries['seconds']): Histogram =>
    metrics.histogram('omendb_commit_seconds', { stage });
  const conflicts = (kind: keyof CommitSeries['conflicts']): Counter =>
    metrics.counter('omendb_commit_conflicts_total', { kind });
  return {
    seconds: { queue: seconds('queue'), put: seconds('put'), check: seconds('check') },
    conflicts: { lost: conflicts('lost'), overtaken: conflicts('overtaken') },
  };
}
