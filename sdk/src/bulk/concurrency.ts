/*
 * How many batches are in flight: one more for every round of successes, half as many when the server asks
 * for less (additive increase, multiplicative decrease). So a load finds the speed that the server can keep
 * and leaves room for others.
 */
const INITIAL_LIMIT = 2;
/** Requests that were sent together are refused together; only the first of them halves the limit. */
const ONE_DECREASE_PER_MS = 250;

/** A counting gate whose width follows the server. */
export class AdaptiveConcurrency {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #limit: number;
  #inFlight = 0;
  #decreasedAtMs = -Infinity;

  /** `max` is the largest width. */
  constructor(max: number) {
    this.#max = max;
    this.#limit = Math.min(INITIAL_LIMIT, max);
  }

  /** How many may be in flight now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** How many are in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Resolves when there is room, which is then taken. */
  async acquire(): Promise<void> {
    if (this.#inFlight < this.limit) {
      this.#inFlight += 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives room back. */
  release(): void {
    this.#inFlight -= 1;
    this.#admit();
  }

  /** A request succeeded. */
  succeeded(): void {
    this.#limit = Math.min(this.#max, this.#limit + 1 / this.#limit);
    this.#admit();
  }

  /** The server asks for less. `nowMs` is the clock's present. */
  pressed(nowMs: number): void {
    if (nowMs - this.#decreasedAtMs < ONE_DECREASE_PER_MS) return;
    this.#decreasedAtMs = nowMs;
    this.#limit = Math.max(1, this.#limit / 2);
  }

  #admit(): void {
    while (this.#inFlight < this.limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#inFlight += 1;
      next();
    }
  }
}
