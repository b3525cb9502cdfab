/*
 * The metric catalogue as a prom-client registry. It speaks OpenMetrics only: Prometheus asks for it first,
 * it alone has exemplars, and prom-client renames its counters when one registry is rendered in both formats.
 */
import * as prom from 'prom-client';
import type { ErrorRow } from '../../core/errors.js';
import { ERROR_TABLE } from '../../core/errors.js';
import type { LabelsOf, MetricName, NameOf } from '../../core/metrics/catalog.js';
import { CATALOG, RUNTIME_FAMILIES } from '../../core/metrics/catalog.js';
import type { Family } from '../../core/metrics/families.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { CappedName, Counter, Gauge, Histogram, Metrics } from '../../ports/metrics.js';
import { CappedCounters } from './capped-counters.js';
import { CounterFamily, HistogramFamily } from './families.js';
import { OTHER, SeriesCap } from './series-cap.js';

/** Prometheus gives up a scrape after 10 s, and takes a server that does not answer for dead. */
const COLLECT_MS = 2000;

export interface PrometheusOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest wait for a collector. A scrape shows what is known then. */
  readonly collectMs?: number;
}

export class PrometheusMetrics implements Metrics {
  /** The media type of what `render` returns. */
  readonly contentType = prom.Registry.OPENMETRICS_CONTENT_TYPE;
  readonly #registry = openMetricsRegistry();
  readonly #counters = new Map<string, CounterFamily>();
  readonly #gauges = new Map<string, prom.Gauge>();
  readonly #histograms = new Map<string, HistogramFamily>();
  readonly #collectors: Collector[] = [];
  readonly #capped = new Map<string, CappedCounters>();

  constructor(private readonly options: PrometheusOptions) {
    for (const [name, family] of Object.entries(CATALOG)) this.#declare(name, family);
    for (const name of Object.keys(CATALOG) as MetricName[]) this.#makeSeries(name);
    addRuntimeFamilies(this.#registry);
  }

  counter<N extends NameOf<'counter'>>(name: N, labels: LabelsOf<N>): Counter {
    return known(this.#counters, name).of(labels);
  }

  gauge<N extends NameOf<'gauge'>>(name: N, labels: LabelsOf<N>): Gauge {
    return known(this.#gauges, name).labels(labels);
  }

  histogram<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>): Histogram {
    return known(this.#histograms, name).of(labels);
  }

  gaugeOf(name: CappedName<'gauge'>, values: () => Iterable<readonly [label: string, value: number]>): void {
    const family = known(this.#gauges, name);
    const [label = '', max] = cappedLabel(name);
    const cap = new SeriesCap(max, this.#countFolded(name));
    this.onScrape(() => {
      const sums = new Map<string, number>();
      for (const [value, amount] of values()) sums.set(value, (sums.get(value) ?? 0) + amount);
      cap.keep(new Set(sums.keys()));
      cap.scraped();
      family.reset();
      // Always there, so that the sum over the family is 0 and not nothing when there is nothing to count.
      let other = 0;
      for (const [value, sum] of sums) {
        if (cap.label(value, 0) === value) family.set({ [label]: value }, sum);
        else other += sum;
      }
      family.set({ [label]: OTHER }, other);
    });
  }

  counterOf(name: CappedName<'counter'>, value: string): Counter {
    let capped = this.#capped.get(name);
    if (capped === undefined) {
      const [label = '', max] = cappedLabel(name);
      capped = new CappedCounters(known(this.#counters, name), {
        label,
        max,
        onFolded: this.#countFolded(name),
      });
      this.#capped.set(name, capped);
    }
    const family = capped;
    const { clock } = this.options;
    return {
      // Looked up at every use: a counter that somebody kept must not bring back a series that was freed.
      inc: (by) => {
        family.of(value, clock.monotonic()).inc(by);
      },
    };
  }

  onScrape(collect: () => void | Promise<void>): void {
    this.#collectors.push({ collect, running: null });
  }

  /** Everything in the format of OpenMetrics 1.0. */
  async render(): Promise<string> {
    await this.#collectAll();
    // Reads every series in this turn, and puts the text together later.
    const page = this.#registry.metrics();
    for (const family of this.#capped.values()) family.scraped();
    return page;
  }

  /** Waits for all collectors, but for none that hangs, such as one that asks a disk which is gone. */
  async #collectAll(): Promise<void> {
    const pending = this.#collectors.flatMap((collector) => this.#begin(collector) ?? []);
    if (pending.length === 0) return;
    const collected = Promise.all(pending).then(() => true);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, this.options.collectMs ?? COLLECT_MS, false);
    });
    const inTime = await Promise.race([collected, late]);
    clearTimeout(timer);
    if (!inTime) this.options.logger.warn('a metric could not be collected in time');
  }

  /** Begins to collect, or goes on waiting for the time before. Null when all is done. */
  #begin(collector: Collector): Promise<void> | null {
    if (collector.running !== null) return collector.running;
    const failed = (error: unknown): void => {
      this.options.logger.warn('a metric could not be collected', { error });
    };
    try {
      const collecting = collector.collect();
      if (collecting === undefined) return null;
      collector.running = collecting.catch(failed).finally(() => {
        collector.running = null;
      });
    } catch (error) {
      failed(error);
    }
    return collector.running;
  }

  #declare(name: string, family: Family): void {
    const common = { name, help: family.help, labelNames: Object.keys(family.labels) };
    const onRefused = (value: number): void => this.#refuse(name, value);
    switch (family.type) {
      case 'counter': {
        const counter = new CounterFamily({ ...common, onRefused });
        register(this.#registry, counter);
        this.#counters.set(name, counter);
        return;
      }
      case 'gauge': {
        const gauge = new prom.Gauge({ ...common, registers: [this.#registry] });
        // prom-client begins a gauge without labels at 0, which would be a measurement.
        if (common.labelNames.length === 0) gauge.remove({});
        this.#gauges.set(name, gauge);
        return;
      }
      case 'histogram': {
        const { clock } = this.options;
        const histogram = new HistogramFamily({ ...common, onRefused, buckets: family.buckets, clock });
        register(this.#registry, histogram);
        this.#histograms.set(name, histogram);
      }
    }
  }

  /** A counter that first appears with a value above zero loses its first increase: all begin at zero. */
  #makeSeries(name: MetricName): void {
    const isThere = AT_START[name] ?? (() => true);
    for (const labels of closedLabelSets(CATALOG[name].labels).filter(isThere)) {
      this.#counters.get(name)?.of(labels);
      this.#histograms.get(name)?.of(labels);
    }
  }

  /** What records must not fail because of what it records. */
  #refuse(metric: string, value: number): void {
    this.options.logger.warn('a value that cannot be counted was left out', { metric, value });
  }

  #countFolded(metric: CappedName<'counter' | 'gauge'>): () => void {
    const folded = this.counter('omendb_metrics_dropped_label_sets_total', { metric });
    return () => folded.inc();
  }
}

interface Collector {
  readonly collect: () => void | Promise<void>;
  running: Promise<void> | null;
}

/** Which series there are at the start, where not all: the rest comes when it happens, if it ever can. */
const AT_START: Partial<Record<MetricName, (labels: Readonly<Record<string, string>>) => boolean>> = {
  omendb_requests_total: ({ code }) => code === 'OK',
  // The first loss of data must be an increase: an alert waits for it.
  omendb_background_failures_total: ({ type }) => ['data_loss', 'internal', 'storage'].includes(type ?? ''),
  // A kind of error is always the same side's fault.
  omendb_errors_total: ({ type, fault }) =>
    Object.values<ErrorRow>(ERROR_TABLE).some((row) => row.type === type && row.fault === fault),
};

/** Every combination of the closed labels; none when a label is not closed. */
function closedLabelSets(labels: Family['labels']): Record<string, string>[] {
  let sets: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    if ('kind' in values) return [];
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value })));
  }
  return sets;
}

/** The first label with a cap, and the cap. */
function cappedLabel(name: MetricName): [label: string | undefined, max: number] {
  for (const [label, values] of Object.entries<Family['labels'][string]>(CATALOG[name].labels)) {
    if ('kind' in values && values.kind === 'capped') return [label, values.max];
  }
  return [undefined, 0];
}

function known<T>(families: ReadonlyMap<string, T>, name: string): T {
  const family = families.get(name);
  if (family === undefined) throw new Error(`the catalogue has no ${name} of this type`);
  return family;
}

/**
 * The types of prom-client name the format of a registry; everything that takes one wants the other format.
 */
function openMetricsRegistry(): prom.Registry {
  const registry = new prom.Registry<prom.OpenMetricsContentType>();
  registry.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE);
  return registry as unknown as prom.Registry;
}

/**
 * A registry asks a metric for its name, its type and what `get` resolves to; the types of prom-client allow
 * only its own metrics.
 */
function register(registry: prom.Registry, family: CounterFamily | HistogramFamily): void {
  registry.registerMetric(family as unknown as prom.Metric);
}

/** Those of prom-client's families that the catalogue names; the rest is deprecated there. */
function addRuntimeFamilies(registry: prom.Registry): void {
  const own = new Set(registry.getMetricsAsArray().map(({ name }) => name));
  prom.collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) {
    if (!own.has(name) && !(name in RUNTIME_FAMILIES)) registry.removeSingleMetric(name);
  }
}
