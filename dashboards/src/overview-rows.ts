/*
 * The rows of the overview below its answers: traffic, errors, latency, capacity.
 */
import { PROMISE, bound, duration, percent } from './lib/alerts.js';
import type { Tile } from './lib/panels.js';
import { BLUE, GREEN, ORANGE, RED, YELLOW, graph, heatmap } from './lib/panels.js';
import {
  bucketRate,
  countRate,
  formula,
  gauge,
  min,
  or,
  quantile,
  rate,
  rateUpTo,
  ratio,
  sum,
} from './lib/promql.js';
import { FAST, SEARCHES, serverErrorRatio } from './slo-terms.js';

/** Who asks how much. */
export function traffic(): Tile[] {
  return [
    graph({
      title: 'Requests by operation',
      what: 'Requests that came to an end, per second, good and bad.',
      normal: 'Follows the day of your users.',
      act: 'A sudden fall with healthy servers: look at the clients and at the load balancer.',
      boards: ['omendb-queries'],
      unit: 'reqps',
      width: 10,
      queries: [{ expr: sum(rate('omendb_requests_total'), 'operation'), legend: '{{operation}}' }],
      stack: true,
      legend: 'table',
    }),
    graph({
      title: 'Requests by protocol',
      what: 'The same requests, gRPC and HTTP.',
      normal: 'A steady share of each.',
      act: 'One of them falls to zero: its port is not reachable any more.',
      unit: 'reqps',
      width: 7,
      queries: [{ expr: sum(rate('omendb_requests_total'), 'protocol'), legend: '{{protocol}}' }],
      stack: true,
    }),
    graph({
      title: 'Requests in work',
      what:
        'Requests that were accepted and are not yet answered. "Full" above says how near the limit they ' +
        'are.',
      normal: 'The rate times the mean latency: a few.',
      act: 'Near the limit requests are refused as overloaded: see Latency for what holds them.',
      alerts: ['OmenDBOverloaded'],
      boards: ['omendb-engine-pool'],
      unit: 'short',
      width: 7,
      queries: [{ expr: sum(gauge('omendb_requests_in_flight'), 'protocol'), legend: '{{protocol}}' }],
      stack: true,
    }),
  ];
}

/** What fails, and whose fault it is. */
export function errors(): Tile[] {
  return [
    graph({
      title: 'Share of failing requests',
      what:
        'Failures by whose fault they are, of all requests. The dashed line is where OmenDBHighErrorRate ' +
        'fires.',
      normal: 'Server below 0.1 %. Client as your clients are; a step means that one of them changed.',
      act: 'Server: see the types beside. Client: tell the client; nobody has to act at night.',
      alerts: ['OmenDBHighErrorRate'],
      boards: ['omendb-slo'],
      unit: 'percentunit',
      width: 8,
      queries: [
        { expr: serverErrorRatio(), legend: 'server', color: RED },
        {
          expr: ratio(
            sum(rate('omendb_errors_total', { fault: 'client' })),
            sum(rate('omendb_requests_total')),
          ),
          legend: 'client',
          color: BLUE,
        },
      ],
      thresholds: [[bound('OmenDBHighErrorRate'), RED]],
    }),
    graph({
      title: 'Failures by type',
      what: 'Failed requests per second, by type and fault.',
      normal: 'Nothing of the server beyond single failures.',
      act: 'overloaded: see Requests in work. storage: see the object store. data_loss: page at once.',
      alerts: ['OmenDBRequestsRefused', 'OmenDBDataLoss'],
      boards: ['omendb-storage', 'omendb-engine-pool'],
      unit: 'reqps',
      width: 8,
      queries: [{ expr: sum(rate('omendb_errors_total'), 'type', 'fault'), legend: '{{type}} ({{fault}})' }],
      stack: true,
      legend: 'table',
    }),
    graph({
      title: 'Failures by code',
      what:
        'Requests per second by their gRPC code, without OK. HTTP requests count under the code they map ' +
        'to.',
      normal: 'NOT_FOUND and INVALID_ARGUMENT as clients cause them.',
      act: 'UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED: the server; see the types beside.',
      unit: 'reqps',
      width: 8,
      queries: [
        { expr: sum(rate('omendb_requests_total', { code: { not: 'OK' } }), 'code'), legend: '{{code}}' },
      ],
      stack: true,
      legend: 'table',
    }),
  ];
}

/** How long searches take. */
export function latency(): Tile[] {
  const buckets = bucketRate('omendb_query_latency_seconds', SEARCHES);
  return [
    graph({
      title: 'Searches in memory',
      what:
        'P50, P95 and P99 of searches that found all in memory. Points are traced requests. The dashed ' +
        'line is where OmenDBHighLatency fires.',
      normal: `P99 below ${duration(bound('OmenDBHighLatency'))} and P50 steady.`,
      act: 'P99 alone rises: waiting, see the engine pool. P50 rises too: queries do more work, see Queries.',
      alerts: ['OmenDBHighLatency', 'OmenDBLatencyBudgetBurn'],
      boards: ['omendb-queries', 'omendb-engine-pool'],
      unit: 's',
      width: 8,
      queries: [
        { expr: quantile(0.5, buckets), legend: 'P50', color: GREEN },
        { expr: quantile(0.95, buckets), legend: 'P95', color: YELLOW },
        { expr: quantile(0.99, buckets), legend: 'P99', color: ORANGE, exemplar: true },
      ],
      thresholds: [[bound('OmenDBHighLatency'), RED]],
    }),
    heatmap({
      title: 'All searches',
      what:
        'How many searches took how long, in memory or not. Points are traced requests: click one for ' +
        'its trace.',
      normal: 'One band. A second band far above it: searches that waited for the object store.',
      act: 'The upper band grows: collections fall out of memory, see cache hits in Queries.',
      alerts: ['OmenDBColdLatencyHigh'],
      boards: ['omendb-queries'],
      unit: 's',
      width: 8,
      queries: [
        {
          expr: sum(bucketRate('omendb_query_latency_seconds', { operation: 'query' }), 'le'),
          legend: '{{le}}',
          exemplar: true,
        },
      ],
    }),
    graph({
      title: `Searches within ${FAST}`,
      what: `Share of the searches in memory that took ${FAST} or less. Exact, since a bucket ends there.`,
      normal: `Above ${percent(PROMISE.latency)}, the dashed line.`,
      act: 'Below it the latency budget burns: see the SLO board for how fast.',
      alerts: ['OmenDBLatencyBudgetBurn'],
      boards: ['omendb-slo'],
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: ratio(
            sum(rateUpTo('omendb_query_latency_seconds', PROMISE.latencyBound, SEARCHES)),
            sum(countRate('omendb_query_latency_seconds', SEARCHES)),
          ),
          legend: `within ${FAST}`,
          color: BLUE,
        },
      ],
      softMin: 0.95,
      max: 1,
      base: RED,
      thresholds: [[PROMISE.latency, GREEN]],
    }),
  ];
}

/** What is full. */
export function capacity(): Tile[] {
  return [
    graph({
      title: 'Vectors',
      what: 'Live vectors of the collections that are open, by server.',
      normal: 'Grows with your data; falls when collections come to rest.',
      act: 'A sudden fall without deletes: collections were closed, see Tenants for how many rest.',
      boards: ['omendb-tenants'],
      unit: 'short',
      width: 6,
      queries: [{ expr: sum(gauge('omendb_vectors_total'), 'instance'), legend: '{{instance}}' }],
      stack: true,
    }),
    graph({
      title: 'Memory by component',
      what: 'Resident memory of all servers. The components do not overlap, so the stack is the whole.',
      normal: 'Segments are the largest.',
      act: 'memtables grow: flushes do not keep up, see Storage. js_heap grows: take a heap snapshot.',
      alerts: ['OmenDBMemoryPressure'],
      boards: ['omendb-storage'],
      unit: 'bytes',
      width: 6,
      queries: [{ expr: sum(gauge('omendb_memory_usage_bytes'), 'component'), legend: '{{component}}' }],
      stack: true,
      legend: 'table',
    }),
    graph({
      title: 'Memory by server',
      what:
        'Resident memory of each server, and the limit of its container. Without a limit the dashed line ' +
        'lies at 0.',
      normal: `Below ${percent(bound('OmenDBMemoryPressure'))} of the limit, where an alert fires.`,
      act: 'At the limit the kernel kills the server: raise it, or find the component that grows.',
      alerts: ['OmenDBMemoryPressure'],
      unit: 'bytes',
      width: 6,
      queries: [
        { expr: sum(gauge('omendb_memory_usage_bytes'), 'instance'), legend: '{{instance}}' },
        {
          expr: or(min(gauge('omendb_memory_limit_bytes')), formula`vector(-1)`),
          legend: 'limit',
          color: RED,
          dashed: true,
        },
      ],
      words: { '-1': 'no limit' },
    }),
    graph({
      title: 'Idle engines',
      what: 'Engines that are started and idle, by server.',
      normal: 'At least one most of the time.',
      act: 'None for a minute: searches queue. Add servers, or find the query that holds the engines.',
      alerts: ['OmenDBEnginePoolExhausted'],
      boards: ['omendb-engine-pool'],
      unit: 'short',
      width: 6,
      queries: [{ expr: sum(gauge('omendb_engine_pool_available'), 'instance'), legend: '{{instance}}' }],
      decimals: 0,
      steps: true,
    }),
  ];
}
