/*
 * Families of series as numbers and text. A series is made once and kept by whoever records, so that
 * recording is an addition: nothing is looked up and nothing allocated. What its lines begin with is put
 * together when it is made, so that a scrape only adds the numbers.
 */
import type { Counter, Gauge, Histogram } from '../../ports/metrics.js';

type LabelSet = Readonly<Record<string, string>>;

/** A family that can be shown. */
export interface Shown {
  /** Lines of OpenMetrics, each with its line feed. */
  render(): string;
}

/** Series of one name, by their labels. */
abstract class SeriesFamily<S extends Shown> implements Shown {
  readonly #series = new Map<string, S>();
  readonly #head: string;

  /** @param name As exposition wants it: of counters without `_total`. */
  constructor(
    protected readonly name: string,
    type: 'counter' | 'gauge' | 'histogram',
    help: string,
    private readonly labelNames: readonly string[],
  ) {
    this.#head = `# HELP ${name} ${escape(help)}\n# TYPE ${name} ${type}\n`;
  }

  /** The series with these labels, made when there is none. */
  of(labels: LabelSet): S {
    const key = this.#keyOf(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = this.make(key);
      this.#series.set(key, series);
    }
    return series;
  }

  /** Shows it no more. What is recorded in it later is lost. */
  remove(labels: LabelSet): void {
    this.#series.delete(this.#keyOf(labels));
  }

  clear(): void {
    this.#series.clear();
  }

  render(): string {
    let text = this.#head;
    for (const series of this.#series.values()) text += series.render();
    return text;
  }

  /** @param labels As text, without braces. */
  protected abstract make(labels: string): S;

  #keyOf(labels: LabelSet): string {
    return this.labelNames.map((name) => `${name}="${escape(labels[name] ?? '')}"`).join();
  }
}

export class CounterFamily extends SeriesFamily<CounterSeries> {
  constructor(name: string, help: string, labelNames: readonly string[]) {
    super(name.replace(/_total$/, ''), 'counter', help, labelNames);
  }

  protected make(labels: string): CounterSeries {
    return new CounterSeries(`${this.name}_total${inBraces(labels)} `);
  }
}

class CounterSeries implements Counter, Shown {
  #value = 0;

  constructor(private readonly line: string) {}

  inc(by = 1): void {
    this.#value += by;
  }

  render(): string {
    return `${this.line}${this.#value}\n`;
  }
}

export class GaugeFamily extends SeriesFamily<GaugeSeries> {
  constructor(name: string, help: string, labelNames: readonly string[]) {
    super(name, 'gauge', help, labelNames);
  }

  protected make(labels: string): GaugeSeries {
    return new GaugeSeries(`${this.name}${inBraces(labels)} `);
  }
}

/** Not shown before it was set: 0 would be a measurement, such as a limit of 0 bytes. */
class GaugeSeries implements Gauge, Shown {
  #value: number | undefined;

  constructor(private readonly line: string) {}

  set(value: number): void {
    this.#value = value;
  }

  render(): string {
    return this.#value === undefined ? '' : `${this.line}${numberText(this.#value)}\n`;
  }
}

export interface HistogramOptions {
  /** Upper bounds, ascending, without the infinite one. */
  readonly buckets: readonly number[];
  /** Seconds since 1970, of exemplars. */
  readonly nowSeconds: () => number;
}

export class HistogramFamily extends SeriesFamily<HistogramSeries> {
  constructor(
    name: string,
    help: string,
    labelNames: readonly string[],
    private readonly options: HistogramOptions,
  ) {
    super(name, 'histogram', help, labelNames);
  }

  protected make(labels: string): HistogramSeries {
    return new HistogramSeries(this.name, labels, this.options);
  }
}

class HistogramSeries implements Histogram, Shown {
  readonly #bounds: readonly number[];
  /** Observations in each bucket alone; the last one has no bound. */
  readonly #counts: Float64Array;
  readonly #exemplars: (string | undefined)[];
  readonly #lines: readonly string[];
  readonly #ends: readonly [sum: string, count: string];
  #sum = 0;

  constructor(
    name: string,
    labels: string,
    private readonly options: HistogramOptions,
  ) {
    this.#bounds = options.buckets;
    const before = labels === '' ? '' : `${labels},`;
    this.#lines = [...options.buckets, '+Inf'].map((bound) => `${name}_bucket{${before}le="${bound}"} `);
    this.#counts = new Float64Array(this.#lines.length);
    this.#exemplars = new Array<undefined>(this.#lines.length);
    this.#ends = [`${name}_sum${inBraces(labels)} `, `${name}_count${inBraces(labels)} `];
  }

  observe(value: number, traceId?: string): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? Infinity)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
    if (traceId !== undefined) {
      this.#exemplars[bucket] = ` # {trace_id="${escape(traceId)}"} ${value} ${this.options.nowSeconds()}`;
    }
  }

  render(): string {
    let text = '';
    let count = 0;
    for (const [bucket, line] of this.#lines.entries()) {
      count += this.#counts[bucket] ?? 0;
      text += `${line}${count}${this.#exemplars[bucket] ?? ''}\n`;
    }
    return `${text}${this.#ends[0]}${this.#sum}\n${this.#ends[1]}${count}\n`;
  }
}

function inBraces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function escape(text: string): string {
  return text.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));
}
