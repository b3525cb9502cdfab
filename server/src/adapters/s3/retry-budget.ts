/*
 * How many requests may be repeated. Every repetition costs more than a success earns, so that a store in
 * trouble gets a few repetitions and from then on only what callers ask of it: retries never become the load
 * that keeps it down.
 */

const TOKENS_MAX = 500;
const RETRY_COST = 10;
const SUCCESS_GAIN = 1;

export class RetryBudget {
  #tokens = TOKENS_MAX;

  /** True when a request may be repeated now; then it counts as repeated. */
  take(): boolean {
    if (this.#tokens < RETRY_COST) return false;
    this.#tokens -= RETRY_COST;
    return true;
  }

  /** A request had an answer. */
  earn(): void {
    this.#tokens = Math.min(TOKENS_MAX, this.#tokens + SUCCESS_GAIN);
  }
}
