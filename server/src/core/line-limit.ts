/*
 * Keeps a log from growing as fast as what it tells of: shed load and failed exports come by the thousand.
 *
 * A line of a kind may be written when none of its kind was written for a while; the next one that may tells
 * how many were kept back meanwhile. Kinds are a closed set, so the table stays small.
 */

/** At most one line of each kind per period. */
export class LineLimit {
  readonly #kinds = new Map<string, { untilMs: number; held: number }>();

  /** @param periodMs Between two lines of a kind, on the clock that `admit` is asked with. */
  constructor(private readonly periodMs: number) {}

  /** How many lines of the kind were kept back since the last one; undefined: keep this one back too. */
  admit(kind: string, nowMs: number): number | undefined {
    const last = this.#kinds.get(kind);
    if (last !== undefined && nowMs < last.untilMs) {
      last.held++;
      return undefined;
    }
    this.#kinds.set(kind, { untilMs: nowMs + this.periodMs, held: 0 });
    return last?.held ?? 0;
  }
}
