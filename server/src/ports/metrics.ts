import type { LabelsOf, MetricName, NameOf } from '../core/metrics/catalog.js';

/**
 * Counts and times of what happens. Only what the catalogue declares can be recorded: another name or label
 * does not compile.
 *
 * Contract: a series is asked for once, where its labels are known, and kept; recording never throws, never
 * waits. Everything is recorded on the main thread.
 */
export interface Metrics {
  counter<N extends NameOf<'counter'>>(name: N, labels: LabelsOf<N>): Counter;
  gauge<N extends NameOf<'gauge'>>(name: N, labels: LabelsOf<N>): Gauge;
  histogram<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>): Histogram;
  /**
   * Makes all series of a capped gauge anew at every scrape: values with the same label are added up, and
   * those beyond the cap become `_other`, so that the sum over the series is the sum of the values. Once for
   * a family.
   */
  gaugeOf(name: CappedName<'gauge'>, values: () => Iterable<readonly [label: string, value: number]>): void;
  /**
   * A counter of one value of a capped label. A value that is idle for long may lose its series and what it
   * counted; the increases over all series add up to what was counted all the same.
   */
  counterOf(name: CappedName<'counter'>, label: string): Counter;
  /**
   * Calls `collect` before every scrape, for gauges that cost something to know. What it throws is logged.
   */
  onScrape(collect: () => void | Promise<void>): void;
}

/** Families with a capped label. */
export type CappedName<T extends 'counter' | 'gauge'> = NameOf<T> &
  ('omendb_vectors_total' | 'omendb_tenant_vectors' | 'omendb_tenant_requests_total') &
  MetricName;

/** One series that only grows. */
export interface Counter {
  /** @param by Not negative; 1 unless given. */
  inc(by?: number): void;
}

/** One series that goes up and down. */
export interface Gauge {
  set(value: number): void;
}

/** One distribution. */
export interface Histogram {
  /** @param traceId Of a sampled trace, kept as the exemplar of the bucket. */
  observe(value: number, traceId?: string): void;
}
