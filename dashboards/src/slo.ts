/*
 * Do we keep what we promise, and how long does the budget last?
 */
import { PROMISE, bound, percent } from './lib/alerts.js';
import type { Board } from './lib/board.js';
import { board } from './lib/board.js';
import type { Tile } from './lib/panels.js';
import { BLUE, GREEN, ORANGE, RED, YELLOW, bars, graph, stat } from './lib/panels.js';
import { countRate, formula, increase, rate, sum } from './lib/promql.js';
import type { Budget } from './slo-terms.js';
import { FAST, SEARCHES, badRatio, budgetLeft, burnRate } from './slo-terms.js';

const RETENTION =
  'Over the 30 days that Prometheus keeps, or over what it has: keep metrics for 30 days at least.';

/** Board `omendb-slo`. */
export function slo(): Board {
  return board({
    uid: 'omendb-slo',
    description:
      `Do we keep what we promise: ${percent(PROMISE.availability)} of requests without a fault of ours, ` +
      `${percent(PROMISE.latency)} of searches within ${FAST}?`,
    from: 'now-24h',
    refresh: '5m',
    rows: [
      { title: 'The last 30 days', tiles: month() },
      { title: 'Availability: how fast the budget burns', tiles: burn('errors') },
      { title: 'Latency: how fast the budget burns', tiles: burn('latency') },
      { title: 'What is counted', tiles: counted() },
    ],
  });
}

function month(): Tile[] {
  const text = { errors: 'failures', latency: 'slow searches' } as const;
  const kept = (budget: Budget) => formula`1 - (${badRatio(budget, '30d')})`;
  return [
    stat({
      title: 'Availability',
      what: `Share of requests without a fault of the server. ${RETENTION}`,
      normal: `${percent(PROMISE.availability)} or more; orange when less than a quarter of the budget is left.`,
      act: 'Below: the promise is broken. Reliability comes before changes until it recovers.',
      alerts: ['OmenDBErrorBudgetBurnFast', 'OmenDBErrorBudgetBurnSlow'],
      unit: 'percentunit',
      width: 6,
      height: 5,
      queries: [{ expr: kept('errors'), legend: 'availability', instant: true }],
      nan: 'no traffic',
      base: RED,
      thresholds: [
        [PROMISE.availability, ORANGE],
        [quarterLeft(PROMISE.availability), GREEN],
      ],
      decimals: 3,
      sparkline: false,
    }),
    stat({
      title: `Searches within ${FAST}`,
      what: `Share of the searches in memory that took ${FAST} or less. ${RETENTION}`,
      normal: `${percent(PROMISE.latency)} or more; orange when less than a quarter of the budget is left.`,
      act: 'Below: the promise is broken. Find what made searches slow on the board Queries.',
      alerts: ['OmenDBLatencyBudgetBurn'],
      boards: ['omendb-queries'],
      unit: 'percentunit',
      width: 6,
      height: 5,
      queries: [{ expr: kept('latency'), legend: `within ${FAST}`, instant: true }],
      nan: 'no traffic',
      base: RED,
      thresholds: [
        [PROMISE.latency, ORANGE],
        [quarterLeft(PROMISE.latency), GREEN],
      ],
      decimals: 2,
      sparkline: false,
    }),
    bars({
      title: 'Budget left',
      what: `What is left of the ${text.errors} and ${text.latency} that the targets allow. ${RETENTION}`,
      normal: 'Above 25 %.',
      act: 'Used up: stop risky changes; the rows below say when it went.',
      alerts: ['OmenDBErrorBudgetBurnFast', 'OmenDBErrorBudgetBurnSlow', 'OmenDBLatencyBudgetBurn'],
      unit: 'percentunit',
      width: 12,
      height: 5,
      queries: [
        { expr: budgetLeft('errors'), legend: 'Availability', instant: true },
        { expr: budgetLeft('latency'), legend: 'Latency', instant: true },
      ],
      nan: 'no traffic',
      base: RED,
      thresholds: [
        [0, ORANGE],
        [0.25, GREEN],
      ],
      min: 0,
      max: 1,
      decimals: 0,
    }),
  ];
}

function burn(budget: Budget): Tile[] {
  const bad = budget === 'errors' ? 'failures' : 'slow searches';
  const fast = budget === 'errors' ? 'OmenDBErrorBudgetBurnFast' : 'OmenDBLatencyBudgetBurn';
  const slow = bound('OmenDBErrorBudgetBurnSlow');
  const per = (window: string, color: string) => ({
    expr: burnRate(budget, window),
    legend: `over ${window}`,
    color,
  });
  return [
    graph({
      title: `Fast burn: ${bad}`,
      what:
        `How many times faster than allowed the budget is used. ${fast} fires when both lines are above ` +
        `the dashed one: at ${String(bound(fast))} the budget of 30 days lasts ${days(bound(fast))}.`,
      normal: 'Below 1.',
      act: 'Both lines above: act now. Only the short one: watch, it may be over in minutes.',
      alerts: [fast],
      boards: ['omendb-server'],
      unit: 'short',
      width: 12,
      queries: [per('5m', BLUE), per('1h', ORANGE)],
      thresholds: [[bound(fast), RED]],
    }),
    graph({
      title: `Slow burn: ${bad}`,
      what: `The same over longer times. At ${String(slow)} the budget of 30 days lasts ${days(slow)}.`,
      normal: 'Below 1.',
      act: `Above ${String(slow)}: no need to wake anybody, but find the cause today.`,
      // Of slow searches only the fast burn alerts.
      ...(budget === 'errors'
        ? { alerts: ['OmenDBErrorBudgetBurnSlow'], thresholds: [[slow, RED]] }
        : { alerts: ['OmenDBLatencyBudgetBurn'] }),
      unit: 'short',
      width: 12,
      queries: [per('30m', YELLOW), per('6h', RED)],
    }),
  ];
}

function counted(): Tile[] {
  const searches = sum(countRate('omendb_query_latency_seconds', SEARCHES));
  const slow = formula`${searches} * (${badRatio('latency')})`;
  return [
    graph({
      title: 'Requests and failures',
      what:
        'All requests, and those that failed through the server, per second. Faults of clients are no ' +
        'failures here.',
      normal: 'Failures near 0.',
      act: 'See failures by type on the board Server.',
      alerts: ['OmenDBHighErrorRate'],
      boards: ['omendb-server'],
      unit: 'reqps',
      width: 8,
      queries: [
        { expr: sum(rate('omendb_requests_total')), legend: 'requests', color: BLUE },
        { expr: sum(rate('omendb_errors_total', { fault: 'server' })), legend: 'failures', color: RED },
      ],
    }),
    graph({
      title: 'Searches and slow searches',
      what: `Searches in memory, and those of them that took longer than ${FAST}, per second.`,
      normal: 'Slow ones near 0.',
      act: 'See the engine pool for waiting, and Queries for the work of a search.',
      alerts: ['OmenDBHighLatency'],
      boards: ['omendb-engine-pool', 'omendb-queries'],
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: searches,
          legend: 'searches',
          color: BLUE,
        },
        { expr: slow, legend: 'slow', color: RED },
      ],
    }),
    graph({
      title: 'Failures of the last hour, by type',
      what: 'What used the budget: failures through the server in the hour before each point.',
      normal: '0.',
      act: 'Each type has a line in the runbook.',
      alerts: ['OmenDBHighErrorRate'],
      unit: 'short',
      width: 8,
      queries: [
        { expr: sum(increase('omendb_errors_total', { fault: 'server' }, '1h'), 'type'), legend: '{{type}}' },
      ],
      stack: true,
      legend: 'table',
    }),
  ];
}

/** The share at which a quarter of what a target allows is left. */
function quarterLeft(target: number): number {
  return Number((target + (1 - target) / 4).toFixed(6));
}

/** How long the budget of 30 days lasts at a rate. */
function days(burning: number): string {
  return `${String(Number((30 / burning).toFixed(1)))} days`;
}
