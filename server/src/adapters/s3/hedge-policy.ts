/*
 * When a read that takes unusually long is asked a second time. The first answer counts. The bound is the
 * 95th percentile of what was seen lately, and hedges are at most a twentieth of all reads, so that a slow
 * store is not asked twice for everything.
 */

const SAMPLES = 256;
const SAMPLES_MIN = 32;
const SHARE = 0.05;
/** Hedges that may have been saved up. */
const SAVED_MAX = 8;
/** Below this a second request gains nothing. */
const DELAY_MS_MIN = 5;

export class HedgePolicy {
  readonly #samples: number[] = [];
  #next = 0;
  #sinceSorted = 0;
  #p95 = Number.POSITIVE_INFINITY;
  #saved = 0;

  /** Milliseconds after which a read may be asked again; null: not enough is known yet. */
  get delayMs(): number | null {
    return this.#samples.length < SAMPLES_MIN ? null : Math.max(DELAY_MS_MIN, this.#p95);
  }

  /** A read has begun to answer after `ms`. */
  observe(ms: number): void {
    this.#saved = Math.min(SAVED_MAX, this.#saved + SHARE);
    this.#samples[this.#next] = ms;
    this.#next = (this.#next + 1) % SAMPLES;
    if (++this.#sinceSorted < SAMPLES_MIN) return;
    this.#sinceSorted = 0;
    const ascending = Float64Array.from(this.#samples).sort();
    this.#p95 = ascending[Math.floor(ascending.length * (1 - SHARE))] ?? this.#p95;
  }

  /** True when a hedge may start now; then it counts as started. */
  take(): boolean {
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}
