import type { Counter } from '../../ports/metrics.js';
import type { CounterFamily } from './families.js';
import { OTHER, SeriesCap } from './series-cap.js';

export interface CappedOptions {
  /** The label that clients make values of. */
  readonly label: string;
  /** Most values with a series of their own. */
  readonly max: number;
  /** Called when a value gets no series. */
  readonly onFolded: () => void;
}

/**
 * Counters by the value of a capped label.
 *
 * A value that loses its series takes its count along. Adding the count to `_other` would keep the sum over
 * the series from falling, and make `rate` wrong, which is what counters are read with: `_other` would jump
 * by all that ever happened. As it is, the increases over all series add up to what happened.
 */
export class CappedCounters {
  readonly #cap: SeriesCap;
  /** By the value that is shown. */
  readonly #counters = new Map<string, Counter>();

  constructor(
    private readonly family: CounterFamily,
    private readonly options: CappedOptions,
  ) {
    const { label, max, onFolded } = options;
    this.#cap = new SeriesCap(max, onFolded, (idle) => {
      this.#counters.delete(idle);
      family.remove({ [label]: idle });
    });
    // There from the start, so that its first increase counts.
    this.#of(OTHER);
  }

  /** What counts for `value` now. Not to be kept: the value may lose its series. */
  of(value: string, nowMs: number): Counter {
    return this.#of(this.#cap.label(value, nowMs));
  }

  /** To be called when all series are read. */
  scraped(): void {
    this.#cap.scraped();
  }

  #of(shown: string): Counter {
    let counter = this.#counters.get(shown);
    if (counter === undefined) {
      counter = this.family.of({ [this.options.label]: shown });
      this.#counters.set(shown, counter);
    }
    return counter;
  }
}
