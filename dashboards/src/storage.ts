/*
 * Do writes become durable and searchable, and does the object store answer?
 */
import { bound, duration } from './lib/alerts.js';
import type { Board } from './lib/board.js';
import { board } from './lib/board.js';
import { damageAndBackup, objectStore } from './storage-rows.js';
import type { Tile } from './lib/panels.js';
import { BLUE, GREEN, ORANGE, RED, YELLOW, graph, heatmap } from './lib/panels.js';
import { bucketRate, countRate, gauge, increase, quantile, rate, sum } from './lib/promql.js';

/** Board `omendb-storage`. */
export function storage(): Board {
  return board({
    uid: 'omendb-storage',
    description: 'Do writes become durable and searchable, and does the object store answer?',
    rows: [
      { title: 'Writes', tiles: writes() },
      { title: 'Index', tiles: index() },
      { title: 'Flushes, merges and recovery', tiles: background() },
      { title: 'Object store', tiles: objectStore() },
      { title: 'Damage, backup and disk', tiles: damageAndBackup() },
    ],
  });
}

function writes(): Tile[] {
  const all = bucketRate('omendb_write_latency_seconds');
  return [
    graph({
      title: 'Write latency',
      what:
        'P50, P95 and P99 of writes, from their arrival until they are durable. Points are traced ' +
        'requests.',
      normal: 'About one and a half times the time of a put to the object store.',
      act: 'See the stages of commits beside: queue, put or check says what is slow.',
      unit: 's',
      width: 8,
      queries: [
        { expr: quantile(0.5, all), legend: 'P50', color: GREEN },
        { expr: quantile(0.95, all), legend: 'P95', color: YELLOW },
        { expr: quantile(0.99, all), legend: 'P99', color: ORANGE, exemplar: true },
      ],
    }),
    heatmap({
      title: 'Distribution of write latency',
      what: 'How many writes took how long. Points are traced requests: click one for its trace.',
      normal: 'One band, as wide as the time of the object store.',
      act: 'A second band above: conflicts or retries; see both below.',
      unit: 's',
      width: 8,
      queries: [{ expr: sum(all, 'le'), legend: '{{le}}', exemplar: true }],
    }),
    graph({
      title: 'P99 by operation',
      what: '99 of 100 writes of each kind were faster.',
      normal: 'Alike, since all wait for the same commit; patch_records read first.',
      act: 'One kind alone rises: its batches have grown, see records per request in Queries.',
      boards: ['omendb-queries'],
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, all, 'operation'), legend: '{{operation}}' }],
    }),
    graph({
      title: 'Stages of a commit',
      what:
        'P99 of waiting for the commit before (queue), of writing the slot (put) and of reading the root ' +
        'again (check).',
      normal:
        `put and check as fast as the object store, put below ${duration(bound('OmenDBCommitSlow'))}; ` +
        'queue below the two together.',
      act:
        'put: the object store is slow, see below. queue: more writes to one collection than commits can ' +
        'carry.',
      alerts: ['OmenDBCommitSlow'],
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, bucketRate('omendb_commit_seconds'), 'stage'), legend: '{{stage}}' }],
      thresholds: [[bound('OmenDBCommitSlow'), RED]],
    }),
    graph({
      title: 'Commit conflicts',
      what:
        'Slots per second that were lost to another server or overtaken by a collector. The write is ' +
        'tried again.',
      normal: 'Near 0 when each collection is written through one server.',
      act:
        'lost: several servers write one collection; route its writes to one. overtaken: a server was ' +
        'stopped for long.',
      unit: 'cps',
      width: 8,
      queries: [{ expr: sum(rate('omendb_commit_conflicts_total'), 'kind'), legend: '{{kind}}' }],
    }),
    graph({
      title: 'Writes',
      what: 'Writes that became durable, per second.',
      normal: 'As your clients write.',
      act: 'Falls while clients try: see failures by type on the board Server (write_backpressure, storage).',
      boards: ['omendb-server'],
      unit: 'wps',
      width: 8,
      queries: [
        { expr: sum(countRate('omendb_write_latency_seconds'), 'operation'), legend: '{{operation}}' },
      ],
      stack: true,
    }),
  ];
}

function index(): Tile[] {
  return [
    graph({
      title: 'Vectors not yet in a segment',
      what:
        'Vectors that are searched one by one, since no flush has taken them yet. The dashed line is ' +
        'part of OmenDBIndexBacklogGrowing.',
      normal: 'A saw-tooth: rises with writes, falls with each flush.',
      act: 'Rises only: flushes fail or do not keep up, see below. Searches slow down with it.',
      alerts: ['OmenDBIndexBacklogGrowing'],
      unit: 'short',
      width: 8,
      queries: [{ expr: sum(gauge('omendb_index_backlog_vectors'), 'instance'), legend: '{{instance}}' }],
      thresholds: [[bound('OmenDBIndexBacklogGrowing'), RED]],
      zoomed: true,
    }),
    graph({
      title: 'Bytes in the log only',
      what: 'Writes that are durable in the log and not yet in a segment.',
      normal: 'A saw-tooth with the flushes.',
      act: 'Rises only: recovery will take longer and memory fills, see flushes below.',
      alerts: ['OmenDBIndexBacklogGrowing'],
      unit: 'bytes',
      width: 8,
      queries: [{ expr: sum(gauge('omendb_wal_bytes'), 'instance'), legend: '{{instance}}' }],
    }),
    graph({
      title: 'Tombstones',
      what: 'Deleted or replaced records that still lie in segments.',
      normal: 'A saw-tooth: merges take them away.',
      act: 'Rises only: merges fail, or deletes are faster than they are. Searches read them in vain.',
      unit: 'short',
      width: 8,
      queries: [{ expr: sum(gauge('omendb_tombstones'), 'instance'), legend: '{{instance}}' }],
    }),
    graph({
      title: 'Segments',
      what: 'Segments of the open collections.',
      normal: 'A few per collection.',
      act: 'Rises without new collections: merges do not keep up, and each search visits more segments.',
      unit: 'short',
      width: 8,
      queries: [{ expr: sum(gauge('omendb_segments'), 'instance'), legend: '{{instance}}' }],
    }),
    graph({
      title: 'Size of segments',
      what: 'Bytes of the segments of open collections in the object store.',
      normal: 'Grows with your data.',
      act: 'Grows without writes: merges leave much behind, or snapshots hold old segments.',
      boards: ['omendb-cost'],
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: sum(gauge('omendb_segment_bytes'), 'instance'), legend: '{{instance}}', color: BLUE },
      ],
    }),
    graph({
      title: 'Garbage collected',
      what: 'Objects that the collector deleted within the width of one point, since nothing needs them.',
      normal: 'Bursts after merges and deleted collections.',
      act: 'None for days while you write: see the failures of the task collect above.',
      alerts: ['OmenDBBackgroundFailing'],
      unit: 'short',
      width: 8,
      queries: [{ expr: sum(increase('omendb_garbage_objects_total')), legend: 'objects' }],
    }),
  ];
}

function background(): Tile[] {
  return [
    graph({
      title: 'Flushes and merges',
      what: 'Flushes of the log and merges of segments that ended within the width of one point.',
      normal:
        'ok only, more flushes than merges. conflict: another server was first, which costs work and no data.',
      act: 'error: see the failures beside and the log.',
      alerts: ['OmenDBCompactionFailing'],
      unit: 'short',
      width: 6,
      queries: [
        {
          expr: sum(increase('omendb_compactions_total'), 'task', 'outcome'),
          legend: '{{task}} {{outcome}}',
        },
      ],
      stack: true,
    }),
    graph({
      title: 'Time of flushes and merges',
      what: 'P50 and P99 of those that succeeded.',
      normal: 'Flushes within seconds; merges up to minutes for large collections.',
      act:
        'Longer at the same size: engines are busy (build tasks in Engine pool) or the object store is ' +
        'slow.',
      boards: ['omendb-engine-pool'],
      unit: 's',
      width: 5,
      queries: [
        {
          expr: quantile(0.5, bucketRate('omendb_compaction_duration_seconds'), 'task'),
          legend: '{{task}} P50',
        },
        {
          expr: quantile(0.99, bucketRate('omendb_compaction_duration_seconds'), 'task'),
          legend: '{{task}} P99',
        },
      ],
      log: true,
    }),
    graph({
      title: 'Failures nobody waits for',
      what: 'Failures of work in the background, by task and type, within the width of one point.',
      normal: '0. Single storage failures are tried again.',
      act:
        'The log names collection and cause. flush fails for long: the backlog grows until writes are ' +
        'refused.',
      alerts: ['OmenDBBackgroundFailing'],
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: sum(increase('omendb_background_failures_total'), 'task', 'type'),
          legend: '{{task}} {{type}}',
        },
      ],
      legend: 'table',
    }),
    graph({
      title: 'Opening a collection',
      what: 'P50 and P99 of the time to open a collection from the object store.',
      normal: 'Below a second; it grows with the log that is not flushed.',
      act:
        'The first request to a collection at rest waits for it: see bytes in the log only, and the ' +
        'object store.',
      alerts: ['OmenDBColdLatencyHigh'],
      unit: 's',
      width: 5,
      queries: [
        { expr: quantile(0.5, bucketRate('omendb_recovery_seconds')), legend: 'P50', color: GREEN },
        { expr: quantile(0.99, bucketRate('omendb_recovery_seconds')), legend: 'P99', color: ORANGE },
      ],
    }),
  ];
}
