// Metrics that a test can look at: what was counted, set and observed, by name and labels.
import type { LabelsOf, NameOf } from '#server/core/metrics/catalog.js';
import type { CappedName, Counter, Gauge, Histogram, Metrics } from '#server/ports/metrics.js';

export class RecordedMetrics implements Metrics {
  readonly #values = new Map<string, number>();
  readonly #observed = new Map<string, number[]>();
  readonly #collectors: (() => void | Promise<void>)[] = [];

  counter<N extends NameOf<'counter'>>(name: N, labels: LabelsOf<N>): Counter {
    const key = keyOf(name, labels);
    return {
      inc: (by = 1) => {
        this.#values.set(key, (this.#values.get(key) ?? 0) + by);
      },
    };
  }

  gauge<N extends NameOf<'gauge'>>(name: N, labels: LabelsOf<N>): Gauge {
    const key = keyOf(name, labels);
    return {
      set: (value) => {
        this.#values.set(key, value);
      },
    };
  }

  histogram<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>): Histogram {
    const key = keyOf(name, labels);
    return {
      observe: (value) => {
        this.#observed.set(key, [...(this.#observed.get(key) ?? []), value]);
      },
    };
  }

  gaugeOf(name: CappedName<'gauge'>, values: () => Iterable<readonly [label: string, value: number]>): void {
    const label = name === 'omendb_vectors_total' ? 'collection' : 'tenant';
    this.onScrape(() => {
      for (const key of this.#values.keys()) if (key.startsWith(`${name}{`)) this.#values.delete(key);
      for (const [of, value] of values()) {
        const key = keyOf(name, { [label]: of });
        this.#values.set(key, (this.#values.get(key) ?? 0) + value);
      }
    });
  }

  counterOf(name: CappedName<'counter'>, label: string): Counter {
    return this.counter(name, { tenant: label });
  }

  onScrape(collect: () => void | Promise<void>): void {
    this.#collectors.push(collect);
  }

  /** Lets everything that is looked at be looked at. */
  async scrape(): Promise<void> {
    for (const collect of this.#collectors) await collect();
  }

  /** Of a counter or gauge; undefined when nothing was counted or set. */
  value<N extends NameOf<'counter' | 'gauge'>>(name: N, labels: LabelsOf<N>): number | undefined {
    return this.#values.get(keyOf(name, labels));
  }

  /** Of a histogram. */
  observed<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>): readonly number[] {
    return this.#observed.get(keyOf(name, labels)) ?? [];
  }

  /** Every series of a counter or gauge that is not zero, by its labels as JSON. */
  series(name: NameOf<'counter' | 'gauge'>): Readonly<Record<string, number>> {
    const own = [...this.#values].filter(([key, value]) => key.startsWith(`${name}{`) && value !== 0);
    return Object.fromEntries(own.map(([key, value]) => [key.slice(name.length), value]));
  }
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return (
    name + JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))))
  );
}
