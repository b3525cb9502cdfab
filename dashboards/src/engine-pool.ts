/*
 * Do searches wait for an engine, and does the main thread keep up?
 */
import { bound, duration, percent } from './lib/alerts.js';
import type { Board } from './lib/board.js';
import { board } from './lib/board.js';
import type { Tile } from './lib/panels.js';
import { BLUE, GREEN, ORANGE, RED, YELLOW, graph, heatmap } from './lib/panels.js';
import {
  avg,
  bucketRate,
  countRate,
  gauge,
  increase,
  max,
  mean,
  quantile,
  rate,
  ratio,
  runtime,
  runtimeHistogramRate,
  runtimeRate,
  sum,
  sumRate,
} from './lib/promql.js';

const WAITED = { outcome: 'acquired' } as const;

/** Board `omendb-engine-pool`. */
export function enginePool(): Board {
  return board({
    uid: 'omendb-engine-pool',
    description: 'Do searches wait for an engine, and does the main thread keep up?',
    rows: [
      { title: 'Engines', tiles: engines() },
      { title: 'Waiting', tiles: waiting() },
      { title: 'Work of the engines', tiles: work() },
      { title: 'Main thread', tiles: mainThread() },
      { title: 'Process', tiles: processes() },
    ],
  });
}

function engines(): Tile[] {
  return [
    graph({
      title: 'Engines and queue',
      what:
        'Engines (threads that search), those of them that are idle, and tasks that wait for one. All ' +
        'servers together.',
      normal: 'Some idle, nothing waiting.',
      act: 'None idle and a queue for minutes: add servers or cores, or find the query that holds engines.',
      alerts: ['OmenDBEnginePoolExhausted', 'OmenDBEnginePoolSaturated'],
      unit: 'short',
      width: 8,
      queries: [
        { expr: sum(gauge('omendb_engine_pool_size')), legend: 'engines', color: BLUE, dashed: true },
        { expr: sum(gauge('omendb_engine_pool_available')), legend: 'idle', color: GREEN },
        { expr: sum(gauge('omendb_engine_pool_queue_depth')), legend: 'waiting tasks', color: RED },
      ],
      decimals: 0,
    }),
    graph({
      title: 'Idle engines by server',
      what: 'Engines that are started and idle.',
      normal: 'Alike on all servers, and not 0 for long.',
      act: 'One server at 0 and the others idle: the load balancer sends it too much, or one engine hangs.',
      alerts: ['OmenDBEnginePoolExhausted'],
      unit: 'short',
      width: 8,
      queries: [{ expr: sum(gauge('omendb_engine_pool_available'), 'instance'), legend: '{{instance}}' }],
      decimals: 0,
      steps: true,
    }),
    graph({
      title: 'Busy share of each engine',
      what: 'Share of the time since the last scrape that an engine worked.',
      normal: 'Below 80 %, and alike: tasks go to whichever engine is idle.',
      act:
        'All near 100 %: add cores or servers. One at 100 % alone: a task that does not end, see its ' +
        'trace.',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: max(gauge('omendb_engine_utilization_ratio'), 'instance', 'engine'),
          legend: '{{instance}} engine {{engine}}',
        },
      ],
      max: 1,
      legend: 'table',
    }),
    graph({
      title: 'Tasks that found no idle engine',
      what: 'Per second. Counts also what happens between two scrapes.',
      normal: 'Single ones at peaks.',
      act: 'Steady: the pool is too small for the load. See how long they wait, below.',
      alerts: ['OmenDBEnginePoolExhausted'],
      unit: 'cps',
      width: 8,
      queries: [
        { expr: sum(rate('omendb_engine_pool_exhausted_total'), 'instance'), legend: '{{instance}}' },
      ],
    }),
    graph({
      title: 'Restarts of engines',
      what: 'Engine threads that died and were started anew within the width of one point, by reason.',
      normal: '0.',
      act:
        'crash: the log has the stack; the task that ran is answered as internal error. oom: engine ' +
        'memory is too small.',
      alerts: ['OmenDBEngineCrashing'],
      unit: 'short',
      width: 8,
      queries: [{ expr: sum(increase('omendb_engine_restarts_total'), 'reason'), legend: '{{reason}}' }],
    }),
    graph({
      title: 'Engine memory taken',
      what:
        'Share of the memory that the engines of a server share. The dashed line is where ' +
        'OmenDBEngineMemoryFull fires.',
      normal:
        `Below ${percent(bound('OmenDBEngineMemoryFull'))}. Collections at rest are let go of when ` +
        'others need room.',
      act: 'Full: requests are refused as memory_exhausted. Fewer open collections, or a larger machine.',
      alerts: ['OmenDBEngineMemoryFull'],
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: ratio(gauge('omendb_engine_memory_used_bytes'), gauge('omendb_engine_memory_size_bytes')),
          legend: '{{instance}}',
        },
      ],
      max: 1,
      thresholds: [[bound('OmenDBEngineMemoryFull'), RED]],
    }),
  ];
}

function waiting(): Tile[] {
  const waits = bucketRate('omendb_engine_pool_wait_seconds', WAITED);
  return [
    heatmap({
      title: 'Wait for an engine',
      what: 'How long tasks waited until an engine took them.',
      normal: 'All in the lowest rows.',
      act:
        'A band far above the others: the pool is saturated at times. Compare with the busy share of the ' +
        'engines.',
      alerts: ['OmenDBEnginePoolSaturated'],
      unit: 's',
      width: 8,
      queries: [{ expr: sum(waits, 'le'), legend: '{{le}}', exemplar: true }],
    }),
    graph({
      title: 'Wait: mean and percentiles',
      what:
        'Time that a task waited for an engine. The dashed line is where OmenDBEnginePoolSaturated fires ' +
        'on the mean.',
      normal: `Mean far below ${duration(bound('OmenDBEnginePoolSaturated'))}.`,
      act: 'Mean near the line: add engines before searches miss their target. P99 alone: short bursts.',
      alerts: ['OmenDBEnginePoolSaturated'],
      unit: 's',
      width: 8,
      queries: [
        {
          expr: mean('omendb_engine_pool_wait_seconds', { where: WAITED }),
          legend: 'mean',
          color: BLUE,
        },
        { expr: quantile(0.95, waits), legend: 'P95', color: YELLOW },
        { expr: quantile(0.99, waits), legend: 'P99', color: ORANGE },
      ],
      thresholds: [[bound('OmenDBEnginePoolSaturated'), RED]],
    }),
    graph({
      title: 'How waiting ended',
      what:
        'Tasks per second that got an engine, that were cancelled while they waited, and that were ' +
        'refused.',
      normal: 'acquired only.',
      act:
        'rejected: the queue is full, clients see overloaded. cancelled: clients gave up or ran out of ' +
        'time.',
      alerts: ['OmenDBHighErrorRate'],
      unit: 'cps',
      width: 8,
      queries: [
        { expr: sum(countRate('omendb_engine_pool_wait_seconds'), 'outcome'), legend: '{{outcome}}' },
      ],
      stack: true,
    }),
  ];
}

function work(): Tile[] {
  const tasks = bucketRate('omendb_engine_task_seconds');
  return [
    graph({
      title: 'Engines at work, by task',
      what:
        'How many engines are busy on average: seconds of work per second. build makes segments, match ' +
        'evaluates filters.',
      normal: 'search dominates; build comes in bursts after writes.',
      act: 'build takes most: write load crowds searches out; see flushes and merges in Storage.',
      boards: ['omendb-storage'],
      unit: 'short',
      width: 8,
      queries: [{ expr: sum(sumRate('omendb_engine_task_seconds'), 'task'), legend: '{{task}}' }],
      stack: true,
    }),
    graph({
      title: 'P99 of a task',
      what: '99 of 100 tasks of each kind took the engine less time.',
      normal: 'search a few milliseconds; build up to seconds.',
      act: 'search rises: searches compare more vectors, see Queries.',
      boards: ['omendb-queries'],
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, tasks, 'task'), legend: '{{task}}' }],
    }),
    graph({
      title: 'Tasks',
      what: 'Tasks that engines ended, per second.',
      normal: 'search as many as there are searches, times the segments they look at.',
      act: 'Falls while requests rise: the engines are held by something else, see the graph at the left.',
      unit: 'cps',
      width: 8,
      queries: [{ expr: sum(countRate('omendb_engine_task_seconds'), 'task'), legend: '{{task}}' }],
      stack: true,
    }),
  ];
}

function mainThread(): Tile[] {
  return [
    graph({
      title: 'Event-loop lag',
      what:
        'How late the main thread comes to its work: P99 and mean, worst server. The dashed line is ' +
        'where OmenDBEventLoopLag fires.',
      normal: 'P99 below 20 ms.',
      act:
        'Something blocks the main thread: huge requests, garbage collection, too little CPU. Every ' +
        'request waits for it.',
      alerts: ['OmenDBEventLoopLag'],
      unit: 's',
      width: 8,
      queries: [
        { expr: max(runtime('nodejs_eventloop_lag_p99_seconds')), legend: 'P99', color: ORANGE },
        { expr: max(runtime('nodejs_eventloop_lag_mean_seconds')), legend: 'mean', color: BLUE },
      ],
      thresholds: [[bound('OmenDBEventLoopLag'), RED]],
    }),
    graph({
      title: 'Event-loop lag by server',
      what: 'P99 of the lag of each server.',
      normal: 'Alike.',
      act: 'One server alone: it has less CPU than the others, or one client sends it huge requests.',
      alerts: ['OmenDBEventLoopLag'],
      unit: 's',
      width: 8,
      queries: [
        { expr: max(runtime('nodejs_eventloop_lag_p99_seconds'), 'instance'), legend: '{{instance}}' },
      ],
    }),
    graph({
      title: 'Garbage collection',
      what: 'Share of the time that the main thread collects garbage, by kind.',
      normal: 'Below 5 % together.',
      act:
        'major grows: the heap is nearly full. minor grows: large requests or answers, see records per ' +
        'request in Queries.',
      boards: ['omendb-queries'],
      unit: 'percentunit',
      width: 8,
      queries: [
        { expr: avg(runtimeHistogramRate('nodejs_gc_duration_seconds', 'sum'), 'kind'), legend: '{{kind}}' },
      ],
      stack: true,
    }),
    graph({
      title: 'Mean pause for garbage collection',
      what: 'Mean length of a pause, by kind.',
      normal: 'minor below 5 ms, major below 50 ms.',
      act: 'Long pauses show in the P99 of everything: give the heap more room.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: ratio(
            sum(runtimeHistogramRate('nodejs_gc_duration_seconds', 'sum'), 'kind'),
            sum(runtimeHistogramRate('nodejs_gc_duration_seconds', 'count'), 'kind'),
          ),
          legend: '{{kind}}',
        },
      ],
    }),
    graph({
      title: 'Heap',
      what: 'JavaScript heap of the main thread: in use, and taken from the system. All servers together.',
      normal: 'A saw-tooth with a steady floor. Vectors are not in this heap.',
      act: 'The floor climbs for hours: a leak. Take a heap snapshot before the restart.',
      alerts: ['OmenDBMemoryPressure'],
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: sum(runtime('nodejs_heap_size_used_bytes')), legend: 'in use', color: BLUE },
        { expr: sum(runtime('nodejs_heap_size_total_bytes')), legend: 'taken', color: ORANGE },
        { expr: sum(runtime('nodejs_external_memory_bytes')), legend: 'outside the heap', color: GREEN },
      ],
    }),
    graph({
      title: 'Heap by space',
      what: 'What the heap in use consists of.',
      normal: 'old is the largest and steady.',
      act: 'large_object grows: huge requests or answers are held.',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: sum(runtime('nodejs_heap_space_size_used_bytes'), 'space'), legend: '{{space}}' }],
      stack: true,
      legend: 'table',
    }),
  ];
}

function processes(): Tile[] {
  return [
    graph({
      title: 'CPU',
      what: 'Cores that each server uses, engines included.',
      normal: 'Below the cores of the machine or the limit of the container.',
      act: 'At the limit of the container it is throttled, which shows as event-loop lag.',
      alerts: ['OmenDBEventLoopLag'],
      unit: 'short',
      width: 8,
      queries: [{ expr: sum(runtimeRate('process_cpu_seconds_total'), 'instance'), legend: '{{instance}}' }],
    }),
    graph({
      title: 'Resident memory',
      what: 'Memory of the process as the system counts it.',
      normal: 'Steady once the collections in use are open.',
      act: 'Grows without end: see which component on the board Server.',
      alerts: ['OmenDBMemoryPressure'],
      boards: ['omendb-server'],
      unit: 'bytes',
      width: 8,
      queries: [{ expr: sum(runtime('process_resident_memory_bytes'), 'instance'), legend: '{{instance}}' }],
    }),
    graph({
      title: 'Open files',
      what:
        'Open files and connections as a share of what the process may have. The dashed line is where an ' +
        'alert fires.',
      normal: 'Below 50 %.',
      act: 'Clients that do not reuse connections, or a limit that is too low (ulimit -n).',
      alerts: ['OmenDBFileDescriptorsLow'],
      unit: 'percentunit',
      width: 8,
      queries: [
        { expr: ratio(runtime('process_open_fds'), runtime('process_max_fds')), legend: '{{instance}}' },
      ],
      thresholds: [[bound('OmenDBFileDescriptorsLow'), RED]],
    }),
  ];
}
