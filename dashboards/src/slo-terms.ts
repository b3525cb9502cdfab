/*
 * What the targets are, and the shares that are compared with them. The same figures as in the alerts.
 */
import type { Vector } from './lib/promql.js';
import { countRate, formula, rate, rateUpTo, ratio, sum } from './lib/promql.js';

/** Share of requests that may not fail through the server, and of searches in memory within 50 ms. */
export const TARGETS = { errors: 0.999, latency: 0.99 } as const;

export type Budget = keyof typeof TARGETS;

const SEARCHES = { operation: 'query', tier: 'hot' } as const;

/** Share of requests that failed through the server. */
export function serverErrorRatio(window?: string): Vector<never> {
  return ratio(
    sum(rate('omendb_errors_total', { fault: 'server' }, window)),
    sum(rate('omendb_requests_total', {}, window)),
  );
}

/** Share of searches in memory that took longer than 50 ms. */
export function slowRatio(window?: string): Vector {
  const fast = sum(rateUpTo('omendb_query_latency_seconds', 0.05, SEARCHES, window));
  return formula`1 - ${fast} / ${sum(countRate('omendb_query_latency_seconds', SEARCHES, window))}`;
}

/** Bad ones as a share of all, by budget. */
export function badRatio(budget: Budget, window?: string): Vector {
  return budget === 'errors' ? serverErrorRatio(window) : slowRatio(window);
}

/** What is left of the budget of 30 days: 1 untouched, 0 used up, below 0 the target is missed. */
export function budgetLeft(budget: Budget): Vector {
  return formula`1 - (${badRatio(budget, '30d')}) / (1 - ${{ text: String(TARGETS[budget]) }})`;
}
