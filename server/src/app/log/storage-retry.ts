/*
 * How often and how fast a storage call is repeated. Only calls that may be repeated without harm come here:
 * reads, and writes with the nonce of the first try.
 */
import { hasReason } from '../../core/errors.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';

export interface RetryPolicy {
  /** Tries in all, at least 1. */
  readonly attempts: number;
  /** Longest wait before the second try; doubles with every further one. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/** About two seconds in all: shorter than a client waits, longer than a hiccup. */
export const STORAGE_RETRY: RetryPolicy = { attempts: 6, baseMs: 50, maxMs: 1000 };

export interface RetryDeps {
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  readonly policy: RetryPolicy;
}

/** Full jitter: uniform up to the exponential bound, so that many waiters do not come back together. */
export function backoffMs({ policy, rng }: Pick<RetryDeps, 'policy' | 'rng'>, failures: number): number {
  const bound = Math.min(policy.maxMs, policy.baseMs * 2 ** (failures - 1));
  return (rng.uint32() / 0x1_0000_0000) * bound;
}

/** Repeats `call` while it fails in a way that a repetition may mend. Rethrows the last error. */
export async function withRetry<T>(deps: RetryDeps, call: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (error) {
      if (!isTransient(error) || failures >= deps.policy.attempts) throw error;
      await deps.scheduler.sleep(backoffMs(deps, failures));
    }
  }
}

/** Reads once more what was damaged on its way: only what is damaged twice is damaged at rest. */
export async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!hasReason(error, 'DATA_CORRUPTED')) throw error;
    return read();
  }
}

export function isTransient(error: unknown): boolean {
  return hasReason(error, 'STORAGE_UNAVAILABLE');
}

/** The store says for certain that nothing was written. */
export function isRefusal(error: unknown): boolean {
  return hasReason(error, 'STORAGE_FULL');
}
