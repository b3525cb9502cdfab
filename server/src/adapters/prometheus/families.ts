/*
 * Counters and histograms as they are recorded. prom-client finds a series by the text of its labels, and a
 * bucket by the text of its bound, at every use, which makes the machine make and compare text for each
 * number that a request adds. So the numbers are kept here, where whoever records has the series at hand,
 * and prom-client is told them when it asks for what there is to show.
 */
import type { Clock } from '../../ports/clock.js';
import type { Counter, Histogram } from '../../ports/metrics.js';

type LabelSet = Readonly<Record<string, string>>;

/** What every family has. */
export interface FamilyOptions {
  /** In the catalogue. */
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Called with what cannot be recorded. */
  readonly onRefused: (value: number) => void;
}

/** What a registry of prom-client asks a metric for. */
interface Shown {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Line[];
}

/**
 * One line of the page: the labels of the series are `sharedLabels`, those of the line alone are `labels`.
 */
interface Line {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly sharedLabels: LabelSet;
  readonly value: number;
  readonly exemplar?: Exemplar | undefined;
}

interface Exemplar {
  readonly labelSet: { readonly trace_id: string };
  readonly value: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** An exemplar may have 128 characters, its label among them. Trace ids have 32. */
const TRACE_ID_CHARACTERS_MAX = 100;
const NO_LABELS = {};

/** Series of one name, by their labels, in the order in which they were made. */
abstract class Family<S> {
  abstract readonly type: 'counter' | 'histogram';
  readonly help: string;
  readonly #series = new Map<string, readonly [LabelSet, S]>();
  readonly #labelNames: readonly string[];

  /** @param name Without the endings that lines have. */
  protected constructor(
    readonly name: string,
    { help, labelNames }: FamilyOptions,
  ) {
    this.help = help;
    this.#labelNames = labelNames;
  }

  /** The series with these labels, made at zero when there is none. */
  of(labels: LabelSet): S {
    const key = this.#keyOf(labels);
    let entry = this.#series.get(key);
    if (entry === undefined) {
      entry = [{ ...labels }, this.make()];
      this.#series.set(key, entry);
    }
    return entry[1];
  }

  /** Shows the series no more. What is recorded in it later is lost. */
  remove(labels: LabelSet): void {
    this.#series.delete(this.#keyOf(labels));
  }

  /** Everything that there is to show, read in this turn. To be called by a registry. */
  async get(): Promise<Shown> {
    const { name, help, type } = this;
    const values = Array.from(this.#series.values(), ([labels, series]) => this.linesOf(labels, series));
    return { name, help, type, values: values.flat() };
  }

  protected abstract make(): S;

  protected abstract linesOf(labels: LabelSet, series: S): Line[];

  #keyOf(labels: LabelSet): string {
    return JSON.stringify(this.#labelNames.map((name) => labels[name]));
  }
}

/** Counters of one name. */
export class CounterFamily extends Family<CounterSeries> {
  readonly type = 'counter';

  constructor(private readonly options: FamilyOptions) {
    // A registry adds the ending.
    super(options.name.replace(/_total$/, ''), options);
  }

  protected make(): CounterSeries {
    return new CounterSeries(this.options.onRefused);
  }

  protected linesOf(sharedLabels: LabelSet, { value }: CounterSeries): Line[] {
    return [{ metricName: this.name, labels: NO_LABELS, sharedLabels, value }];
  }
}

class CounterSeries implements Counter {
  value = 0;

  constructor(private readonly onRefused: (by: number) => void) {}

  inc(by = 1): void {
    if (by >= 0 && by < Infinity) this.value += by;
    else this.onRefused(by);
  }
}

export interface HistogramOptions extends FamilyOptions {
  /** Upper bounds, ascending, without the infinite one. */
  readonly buckets: readonly number[];
  readonly clock: Clock;
}

/** Histograms of one name. */
export class HistogramFamily extends Family<HistogramSeries> {
  readonly type = 'histogram';
  /** The label of each bucket, in order. */
  readonly #bounds: readonly { readonly le: string | number }[];

  constructor(private readonly options: HistogramOptions) {
    super(options.name, options);
    this.#bounds = [...options.buckets, '+Inf'].map((le) => ({ le }));
  }

  protected make(): HistogramSeries {
    return new HistogramSeries(this.options);
  }

  protected linesOf(sharedLabels: LabelSet, { counts, exemplars, sum }: HistogramSeries): Line[] {
    const { name } = this;
    let value = 0;
    const lines = this.#bounds.map((labels, bucket): Line => {
      value += counts[bucket] ?? 0;
      return { metricName: `${name}_bucket`, labels, sharedLabels, value, exemplar: exemplars[bucket] };
    });
    lines.push({ metricName: `${name}_sum`, labels: NO_LABELS, sharedLabels, value: sum });
    lines.push({ metricName: `${name}_count`, labels: NO_LABELS, sharedLabels, value });
    return lines;
  }
}

class HistogramSeries implements Histogram {
  /** Observations in each bucket alone; the last one has no bound. */
  readonly counts: Float64Array;
  /** The last trace in each bucket. */
  readonly exemplars: (Exemplar | undefined)[];
  sum = 0;
  readonly #bounds: Float64Array;

  constructor(private readonly options: HistogramOptions) {
    this.#bounds = Float64Array.of(...options.buckets, Infinity);
    this.counts = new Float64Array(this.#bounds.length);
    this.exemplars = new Array<undefined>(this.#bounds.length).fill(undefined);
  }

  observe(value: number, traceId?: string): void {
    if (!Number.isFinite(value)) {
      this.options.onRefused(value);
      return;
    }
    let bucket = 0;
    while (value > (this.#bounds[bucket] ?? Infinity)) bucket++;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
    if (traceId === undefined || traceId.length > TRACE_ID_CHARACTERS_MAX) return;
    const timestamp = this.options.clock.now() / 1000;
    this.exemplars[bucket] = { labelSet: { trace_id: traceId }, value, timestamp };
  }
}
