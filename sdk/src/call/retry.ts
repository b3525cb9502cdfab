/*
 * When a failed call is worth repeating, and when.
 *
 * Full jitter: the wait is uniform between zero and a bound that doubles with every attempt, so that many
 * clients that failed together do not come back together. A wait named by the server is a lower bound. A
 * budget shared by all calls of a client keeps a server that fails every call from being asked five times as
 * often.
 */
import type { OmenError } from '../errors.js';

/** How a failed call is repeated. */
export interface RetryPolicy {
  /** How often a call is sent at most, 1–100. Default 5. */
  readonly attempts: number;
  /** Bound of the first wait. Default 50. */
  readonly initialDelayMs: number;
  /** Largest bound of a wait. Default 5 000. */
  readonly maxDelayMs: number;
}

/** Up to five attempts within the call's time. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, initialDelayMs: 50, maxDelayMs: 5_000 };

/** `base` with the parts that `override` names. */
export function mergeRetry(
  base: RetryPolicy,
  override: Partial<RetryPolicy> | false | undefined,
): RetryPolicy {
  if (override === undefined) return base;
  if (override === false) return { ...base, attempts: 1 };
  const { attempts = base.attempts } = override;
  const { initialDelayMs = base.initialDelayMs, maxDelayMs = base.maxDelayMs } = override;
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > 100) {
    throw new RangeError(`retry.attempts is ${attempts}, must be a whole number from 1 to 100`);
  }
  if (!(initialDelayMs >= 0) || !(maxDelayMs >= initialDelayMs)) {
    throw new RangeError(
      `retry delays must hold 0 <= ${initialDelayMs} (initialDelayMs) <= ${maxDelayMs} (maxDelayMs)`,
    );
  }
  return { attempts, initialDelayMs, maxDelayMs };
}

/** Milliseconds to wait after failed attempt number `attempt` (1 for the first). `random` is from [0, 1). */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number, error: OmenError): number {
  const bound = Math.min(policy.maxDelayMs, policy.initialDelayMs * 2 ** (attempt - 1));
  const jittered = random * bound;
  // The jitter comes on top of a wait that the server names: otherwise all clients would return at the same
  // moment.
  return error.retryAfterMs === undefined ? jittered : error.retryAfterMs + jittered;
}

/** A token bucket that bounds the share of calls that are repetitions. */
export class RetryBudget {
  readonly #capacity: number;
  readonly #tokensPerSuccess: number;
  readonly #tokensPerSecond: number;
  #tokens: number;
  #refilledAtMs: number;

  /**
   * `capacity` repetitions may come at once; every success gives `tokensPerSuccess` back and every second
   * `tokensPerSecond`, so that a client that rarely calls can repeat too. `nowMs` is the clock's present.
   */
  constructor(nowMs: number, capacity = 100, tokensPerSuccess = 0.2, tokensPerSecond = 2) {
    this.#capacity = capacity;
    this.#tokens = capacity;
    this.#tokensPerSuccess = tokensPerSuccess;
    this.#tokensPerSecond = tokensPerSecond;
    this.#refilledAtMs = nowMs;
  }

  /** A call succeeded. */
  succeeded(): void {
    if (this.#tokens < this.#capacity) this.#add(this.#tokensPerSuccess);
  }

  /** Takes a token for one repetition; `false` when none is left. */
  take(nowMs: number): boolean {
    this.#add(((nowMs - this.#refilledAtMs) / 1000) * this.#tokensPerSecond);
    this.#refilledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #add(tokens: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + tokens);
  }
}
