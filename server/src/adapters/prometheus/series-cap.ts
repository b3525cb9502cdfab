/*
 * Which values of a capped label have a series of their own: the first that come, for as long as they are in
 * use. A value is never shown twice, and what has no series of its own is part of `_other`, so that the sum
 * over all series is always the sum over all values.
 */

/** The label of everything without a series of its own. Names that begin with `_` are nobody's. */
export const OTHER = '_other';
/** A value that was not used for this long gives its series up. */
const IDLE_MS = 60 * 60 * 1000;

export class SeriesCap {
  /** Values with a series, with the time of their last use. */
  readonly #used = new Map<string, number>();
  /** Values that lost their series since the last scrape. */
  readonly #freed = new Set<string>();

  /**
   * @param onFolded Called when a value gets no series.
   * @param onFreed Called with a value that loses its series.
   */
  constructor(
    private readonly max: number,
    private readonly onFolded: () => void,
    private readonly onFreed: (value: string) => void = () => undefined,
  ) {}

  /** The label for `value`: itself or `_other`. */
  label(value: string, nowMs: number): string {
    if (!this.#used.has(value)) {
      if (this.#used.size >= this.max) this.#free((lastMs) => nowMs - lastMs >= IDLE_MS);
      // What comes back before a scrape saw it gone would seem to go on from where it was.
      if (this.#used.size >= this.max || this.#freed.has(value)) {
        this.onFolded();
        return OTHER;
      }
    }
    this.#used.set(value, nowMs);
    return value;
  }

  /** To be called when all series are read. */
  scraped(): void {
    this.#freed.clear();
  }

  /** Takes the series of all values but these. */
  keep(values: ReadonlySet<string>): void {
    this.#free((_lastMs, value) => !values.has(value));
  }

  #free(isOver: (lastMs: number, value: string) => boolean): void {
    for (const [value, lastMs] of this.#used) {
      if (!isOver(lastMs, value)) continue;
      this.#used.delete(value);
      this.#freed.add(value);
      this.onFreed(value);
    }
  }
}
