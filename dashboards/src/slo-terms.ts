/*
 * What the targets are, and the shares that are compared with them. The same figures as in the alerts.
 */
import { PROMISE, duration } from './lib/alerts.js';
import type { Vector } from './lib/promql.js';
import { countRate, formula, number, rate, rateUpTo, ratio, sum } from './lib/promql.js';

/** Share of requests that do not fail through the server, and of searches in memory that are fast. */
export const TARGETS = { errors: PROMISE.availability, latency: PROMISE.latency } as const;

export type Budget = keyof typeof TARGETS;

/** How long a fast search may take, in words. */
export const FAST = duration(PROMISE.latencyBound);

/** The searches that have to be fast: all they needed was in memory. */
export const SEARCHES = { operation: 'query', tier: 'hot' } as const;

/** Share of requests that failed through the server. */
export function serverErrorRatio(window?: string): Vector<never> {
  return ratio(
    sum(rate('omendb_errors_total', { fault: 'server' }, window)),
    sum(rate('omendb_requests_total', {}, window)),
  );
}

/** Share of searches in memory that took longer than is promised. */
export function slowRatio(window?: string): Vector {
  const fast = sum(rateUpTo('omendb_query_latency_seconds', PROMISE.latencyBound, SEARCHES, window));
  return formula`1 - ${fast} / ${sum(countRate('omendb_query_latency_seconds', SEARCHES, window))}`;
}

/** Bad ones as a share of all, by budget. */
export function badRatio(budget: Budget, window?: string): Vector {
  return budget === 'errors' ? serverErrorRatio(window) : slowRatio(window);
}

/** How many times faster than allowed the budget is used: at 1 it lasts exactly 30 days. */
export function burnRate(budget: Budget, window: string): Vector {
  return formula`(${badRatio(budget, window)}) / ${number(allowed(budget))}`;
}

/** What is left of the budget of 30 days: 1 untouched, 0 used up, below 0 the target is missed. */
export function budgetLeft(budget: Budget): Vector {
  return formula`1 - (${badRatio(budget, '30d')}) / ${number(allowed(budget))}`;
}

function allowed(budget: Budget): number {
  return Number((1 - TARGETS[budget]).toFixed(6));
}
