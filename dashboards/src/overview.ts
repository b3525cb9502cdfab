/*
 * The first board to open: is it up, is it failing, is it slow, is it full? The top line answers, the rows
 * below say where to look on.
 */
import type { Board } from './lib/board.js';
import { board } from './lib/board.js';
import type { Tile } from './lib/panels.js';
import { BLUE, GREEN, ORANGE, RED, YELLOW, bars, graph, heatmap, stat, table } from './lib/panels.js';
import {
  FIRING,
  UP,
  ZERO,
  avg,
  bucketRate,
  count,
  countRate,
  formula,
  gauge,
  max,
  min,
  or,
  quantile,
  rate,
  rateUpTo,
  ratio,
  runtime,
  sum,
} from './lib/promql.js';
import { budgetLeft, serverErrorRatio } from './slo-terms.js';

/** The searches that `OmenDBHighLatency` is about. */
const SEARCHES = { operation: 'query', tier: 'hot' } as const;

/** Board `omendb-server`. */
export function overview(): Board {
  return board({
    uid: 'omendb-server',
    description: 'Is OmenDB up, is it failing, is it slow, is it full?',
    rows: [
      {
        title: 'Health: is it up, is it failing, is it slow, is it full?',
        tiles: [...answers(), ...detailsOfHealth()],
      },
      { title: 'Traffic', tiles: traffic() },
      { title: 'Errors', tiles: errors() },
      { title: 'Latency', tiles: latency() },
      { title: 'Capacity', tiles: capacity() },
    ],
  });
}

function answers(): Tile[] {
  return [
    stat({
      title: 'Up',
      what: 'Share of the servers known to Prometheus that answer its scrapes.',
      normal: '100 %. For a moment less while a rollout replaces servers.',
      act: 'Look at "Servers" below for which one is away, then at its pod: events, last log lines, memory limit.',
      alerts: ['OmenDBServerDown'],
      unit: 'percentunit',
      width: 3,
      queries: [{ expr: or(avg(UP), ZERO), legend: 'up' }],
      base: RED,
      thresholds: [
        [0.01, ORANGE],
        [1, GREEN],
      ],
      decimals: 0,
      min: 0,
      max: 1,
    }),
    stat({
      title: 'Ready servers',
      what: 'Servers that welcome new requests: started, not draining, object store within reach.',
      normal: 'As many as were deployed.',
      act: 'A server that is up and not ready is starting, draining or without its object store: see Storage.',
      alerts: ['OmenDBServerDown'],
      boards: ['omendb-storage'],
      unit: 'short',
      width: 3,
      queries: [{ expr: or(sum(gauge('omendb_ready')), ZERO), legend: 'ready' }],
      base: RED,
      thresholds: [[1, GREEN]],
      decimals: 0,
    }),
    stat({
      title: 'Firing alerts',
      what: 'Alerts of OmenDB that fire now. Needs the rules of alerts/omendb.rules.yml.',
      normal: '0.',
      act: 'The table below names them; each has a runbook.',
      unit: 'short',
      width: 3,
      queries: [{ expr: or(count(FIRING), ZERO), legend: 'firing' }],
      thresholds: [[1, RED]],
      decimals: 0,
    }),
    stat({
      title: 'Failing requests',
      what: 'Share of all requests that failed through a fault of the server. Faults of clients do not count.',
      normal: 'Below 0.1 %. Above 1 % an alert fires.',
      act: 'See "Failures by type" below for what fails.',
      alerts: ['OmenDBHighErrorRate'],
      unit: 'percentunit',
      width: 3,
      queries: [{ expr: serverErrorRatio(), legend: 'failing' }],
      thresholds: [
        [0.001, YELLOW],
        [0.01, RED],
      ],
      decimals: 2,
      min: 0,
    }),
    stat({
      title: 'Error budget left, 30 days',
      what: 'What is left of the failures that a target of 99.9 % allows in 30 days. Below 0 the target is missed.',
      normal: 'Above 25 %.',
      act: 'Put reliability before changes until it recovers; the SLO board says since when it burns.',
      alerts: ['OmenDBErrorBudgetBurnFast', 'OmenDBErrorBudgetBurnSlow'],
      boards: ['omendb-slo'],
      unit: 'percentunit',
      width: 3,
      queries: [{ expr: budgetLeft('errors'), legend: 'left', instant: true }],
      base: RED,
      thresholds: [
        [0, ORANGE],
        [0.25, GREEN],
      ],
      decimals: 0,
      sparkline: false,
    }),
    stat({
      title: 'P99 of searches',
      what: '99 of 100 searches that found all they needed in memory were faster. Waiting for an engine counts.',
      normal: 'Below 50 ms, where an alert fires.',
      act: 'Compare with the pool wait: waiting means too few engines, else queries have become dearer.',
      alerts: ['OmenDBHighLatency'],
      boards: ['omendb-queries', 'omendb-engine-pool'],
      unit: 's',
      width: 3,
      queries: [
        { expr: quantile(0.99, bucketRate('omendb_query_latency_seconds', SEARCHES)), legend: 'P99' },
      ],
      thresholds: [
        [0.03, YELLOW],
        [0.05, RED],
      ],
    }),
    bars({
      title: 'Full',
      what: 'The fullest server: memory of its limit, memory of the engines, disk, requests in work of what is allowed.',
      normal: 'Below 80 %. "no limit" means that the container has no memory limit.',
      act: 'Memory: see Capacity below. Engines: fewer open collections or a larger machine. Disk: see Storage.',
      alerts: ['OmenDBMemoryPressure', 'OmenDBDiskFillingUp'],
      boards: ['omendb-storage'],
      unit: 'percentunit',
      width: 6,
      queries: [
        { expr: or(max(memoryOfLimit()), formula`vector(-1)`), legend: 'Memory' },
        { expr: max(engineMemoryShare()), legend: 'Engine memory' },
        { expr: max(diskShare()), legend: 'Disk' },
        { expr: max(inFlightShare()), legend: 'Requests in work' },
      ],
      words: { '-1': 'no limit' },
      thresholds: [
        [0.8, ORANGE],
        [0.9, RED],
      ],
      decimals: 0,
      min: 0,
      max: 1,
    }),
  ];
}

function detailsOfHealth(): Tile[] {
  return [
    table({
      title: 'What fires',
      what: 'Alerts that fire now, with how many of each.',
      normal: 'One line that says none.',
      act: 'Open the runbook: alerts/runbooks/ has a page with the name of each alert.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: or(
            count(FIRING, 'alertname', 'severity'),
            formula`label_replace(${ZERO}, "alertname", "none", "", "")`,
          ),
          legend: '{{alertname}}',
        },
      ],
      columns: { alertname: 'Alert', severity: 'Severity', Value: 'Firing' },
    }),
    graph({
      title: 'Servers',
      what: 'Per server: 1 while it answers Prometheus and welcomes requests, 0 while it does not.',
      normal: 'All lines at 1; a short 0 while a rollout restarts a server.',
      act: 'Look at the log of the server that fell to 0, and at the blue marks of restarts.',
      alerts: ['OmenDBServerDown', 'OmenDBCrashLooping'],
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: or(min(gauge('omendb_ready'), 'instance'), min(formula`${UP} == 0`, 'instance')),
          legend: '{{instance}}',
        },
      ],
      max: 1,
      decimals: 0,
      steps: true,
    }),
    table({
      title: 'Versions',
      what: 'What runs: version of the server and of Node.js, kernels, and the age of the process.',
      normal: 'One version. Two of them only during a rollout.',
      act: 'Finish or roll back the rollout. Kernels "plain" on some servers only: their machines differ.',
      alerts: ['OmenDBVersionSkew'],
      unit: 's',
      width: 8,
      queries: [
        {
          expr: formula`(time() - ${runtime('process_start_time_seconds')}) * on (namespace, job, instance) group_left (version, node, kernels) ${gauge('omendb_build_info')}`,
          legend: '{{instance}} {{version}}',
        },
      ],
      columns: { instance: 'Server', version: 'Version', node: 'Node.js', kernels: 'Kernels', Value: 'Age' },
    }),
  ];
}

function traffic(): Tile[] {
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
      what: 'Requests that were accepted and are not yet answered, and how many may be.',
      normal: 'Far below the limit.',
      act: 'Near the limit requests are refused as overloaded: see Latency for what holds them.',
      boards: ['omendb-engine-pool'],
      unit: 'short',
      width: 7,
      queries: [
        { expr: sum(gauge('omendb_requests_in_flight'), 'protocol'), legend: '{{protocol}}' },
        {
          expr: sum(gauge('omendb_requests_in_flight_limit')),
          legend: 'limit',
          color: RED,
          dashed: true,
        },
      ],
    }),
  ];
}

function errors(): Tile[] {
  return [
    graph({
      title: 'Share of failing requests',
      what: 'Failures by whose fault they are, of all requests. The dashed line is where OmenDBHighErrorRate fires.',
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
      thresholds: [[0.01, RED]],
    }),
    graph({
      title: 'Failures by type',
      what: 'Failed requests per second, by type and fault.',
      normal: 'Nothing of the server beyond single failures.',
      act: 'overloaded: see Requests in work. storage: see the object store. data_loss: page at once.',
      alerts: ['OmenDBDataLoss'],
      boards: ['omendb-storage', 'omendb-engine-pool'],
      unit: 'reqps',
      width: 8,
      queries: [{ expr: sum(rate('omendb_errors_total'), 'type', 'fault'), legend: '{{type}} ({{fault}})' }],
      stack: true,
      legend: 'table',
    }),
    graph({
      title: 'Failures by code',
      what: 'Requests per second by their gRPC code, without OK. HTTP requests count under the code they map to.',
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

function latency(): Tile[] {
  const buckets = bucketRate('omendb_query_latency_seconds', SEARCHES);
  return [
    graph({
      title: 'Searches in memory',
      what: 'P50, P95 and P99 of searches that found all in memory. Points are traced requests. The dashed line is where OmenDBHighLatency fires.',
      normal: 'P99 below 50 ms and P50 steady.',
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
      thresholds: [[0.05, RED]],
    }),
    heatmap({
      title: 'All searches',
      what: 'How many searches took how long, in memory or not. Points are traced requests: click one for its trace.',
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
      title: 'Searches within 50 ms',
      what: 'Share of the searches in memory that took 50 ms or less. Exact, since a bucket ends there.',
      normal: 'Above 99 %, the dashed line.',
      act: 'Below it the latency budget burns: see the SLO board for how fast.',
      alerts: ['OmenDBLatencyBudgetBurn'],
      boards: ['omendb-slo'],
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: ratio(
            sum(rateUpTo('omendb_query_latency_seconds', 0.05, SEARCHES)),
            sum(countRate('omendb_query_latency_seconds', SEARCHES)),
          ),
          legend: 'within 50 ms',
          color: BLUE,
        },
      ],
      max: 1,
      base: RED,
      thresholds: [[0.99, GREEN]],
    }),
  ];
}

function capacity(): Tile[] {
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
      normal: 'Segments are the largest; the stack stays under 90 % of the limit.',
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
      what: 'Resident memory of each server, and the limit of its container. Without a limit the dashed line is missing.',
      normal: 'Below 90 % of the limit, where an alert fires.',
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

/** Memory of each server as a share of its limit. */
function memoryOfLimit(): ReturnType<typeof formula> {
  return formula`${sum(gauge('omendb_memory_usage_bytes'), 'namespace', 'job', 'instance')} / on (namespace, job, instance) ${gauge('omendb_memory_limit_bytes')}`;
}

function engineMemoryShare(): ReturnType<typeof formula> {
  return ratio(gauge('omendb_engine_memory_used_bytes'), gauge('omendb_engine_memory_size_bytes'));
}

function diskShare(): ReturnType<typeof formula> {
  return formula`1 - ${ratio(gauge('omendb_disk_free_bytes'), gauge('omendb_disk_size_bytes'))}`;
}

function inFlightShare(): ReturnType<typeof formula> {
  return formula`${sum(gauge('omendb_requests_in_flight'), 'namespace', 'job', 'instance')} / on (namespace, job, instance) ${gauge('omendb_requests_in_flight_limit')}`;
}
