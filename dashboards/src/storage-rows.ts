/*
 * The lower rows of the board about storage: the object store, damage, backup and disk.
 */
import { bound, duration, percent } from './lib/alerts.js';
import type { Tile } from './lib/panels.js';
import { GREEN, ORANGE, RED, graph, heatmap, stat } from './lib/panels.js';
import {
  ZERO,
  bucketRate,
  formula,
  gauge,
  increase,
  max,
  or,
  mean,
  quantile,
  rate,
  ratio,
  sum,
} from './lib/promql.js';

/** Whether the object store answers, and how fast. */
export function objectStore(): Tile[] {
  const seconds = bucketRate('omendb_object_store_request_seconds');
  return [
    graph({
      title: 'Requests to the object store',
      what: 'Requests per second by operation, retries included.',
      normal: 'put and list follow writes, get follows collections that are opened and cold reads.',
      act: 'get rises at the same traffic: collections fall out of memory, see cache hits in Queries.',
      boards: ['omendb-cost', 'omendb-queries'],
      unit: 'reqps',
      width: 8,
      queries: [
        { expr: sum(rate('omendb_object_store_requests_total'), 'operation'), legend: '{{operation}}' },
      ],
      stack: true,
    }),
    graph({
      title: 'Requests that failed or were repeated',
      what:
        'Share of the requests of each operation that failed in the end or were tried again. The dashed ' +
        'line is where OmenDBObjectStoreErrors fires on failures.',
      normal: 'Failures 0; a few retries.',
      act:
        'Look at the state of the store and the network. Writes fail when put fails, open collections ' +
        'still answer reads.',
      alerts: ['OmenDBObjectStoreErrors'],
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: ratio(
            sum(rate('omendb_object_store_requests_total', { outcome: 'error' }), 'operation'),
            sum(rate('omendb_object_store_requests_total'), 'operation'),
          ),
          legend: '{{operation}} failed',
        },
        {
          expr: ratio(
            sum(rate('omendb_object_store_requests_total', { outcome: 'retry' }), 'operation'),
            sum(rate('omendb_object_store_requests_total'), 'operation'),
          ),
          legend: '{{operation}} repeated',
        },
      ],
      thresholds: [[bound('OmenDBObjectStoreErrors'), RED]],
    }),
    graph({
      title: 'Bytes to and from the object store',
      what: 'Bytes of object bodies per second.',
      normal: 'written: the writes, and again at flush and merge. read: cold reads and merges.',
      act:
        'read near the bandwidth of the machine: cold reads are slow for that reason; add memory or ' +
        'servers.',
      boards: ['omendb-cost'],
      unit: 'Bps',
      width: 8,
      queries: [{ expr: sum(rate('omendb_object_store_bytes_total'), 'direction'), legend: '{{direction}}' }],
    }),
    graph({
      title: 'P99 by operation',
      what: '99 of 100 requests to the store were faster, their retries included.',
      normal:
        'As the store is: S3 gets within 100 ms, puts within 200 ms. At the dashed line an alert fires for both.',
      act: 'All rise: the store or the network. put alone: throttling of one prefix.',
      alerts: ['OmenDBObjectStoreSlow', 'OmenDBColdLatencyHigh'],
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, seconds, 'operation'), legend: '{{operation}}' }],
      thresholds: [[bound('OmenDBObjectStoreSlow'), RED]],
    }),
    graph({
      title: 'Mean by operation',
      what: 'Mean time of a request to the store, its retries included.',
      normal: 'Steady.',
      act: 'Compare with what the store reports: a difference is the network or a busy main thread.',
      boards: ['omendb-engine-pool'],
      unit: 's',
      width: 8,
      queries: [
        {
          expr: mean('omendb_object_store_request_seconds', { by: ['operation'] }),
          legend: '{{operation}}',
        },
      ],
    }),
    heatmap({
      title: 'Distribution of gets and puts',
      what: 'How many requests to the store took how long.',
      normal: 'One band for gets, one for puts.',
      act: 'A band at whole seconds: retries after refusals of the store.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: sum(bucketRate('omendb_object_store_request_seconds', { operation: ['get', 'put'] }), 'le'),
          legend: '{{le}}',
        },
      ],
    }),
  ];
}

/** Whether data is lost, or would be. */
export function damageAndBackup(): Tile[] {
  const ofRequests = sum(increase('omendb_errors_total', { type: 'data_loss' }, '1h'));
  const ofTasks = sum(increase('omendb_background_failures_total', { type: 'data_loss' }, '1h'));
  const success = max(gauge('omendb_backup_last_success_timestamp_seconds'));
  const attempt = max(gauge('omendb_backup_last_attempt_timestamp_seconds'));
  return [
    stat({
      title: 'Damage met in the last hour',
      what: 'How often damaged or missing objects were met, by requests and by work in the background.',
      normal: '0.',
      act: 'Page. Stop what deletes objects behind the server, and restore from a backup what is damaged.',
      alerts: ['OmenDBDataLoss'],
      unit: 'short',
      width: 5,
      queries: [
        {
          expr: formula`(${or(ofRequests, ZERO)}) + (${or(ofTasks, ZERO)})`,
          legend: 'damage',
        },
      ],
      thresholds: [[0.5, RED]],
      decimals: 0,
      height: 8,
    }),
    stat({
      title: 'Age of the last good backup',
      what: 'Time since a backup last ended well.',
      normal:
        `Below the interval of your backups. Above ${duration(bound('OmenDBBackupStale'))} an alert ` +
        'fires.',
      act: 'Run a backup by hand and read its output; "never" means that no backup was ever taken.',
      alerts: ['OmenDBBackupStale', 'OmenDBBackupMissing'],
      unit: 's',
      width: 5,
      height: 8,
      queries: [{ expr: or(formula`time() - (${success} > 0)`, formula`vector(-1)`), legend: 'age' }],
      words: { '-1': 'never' },
      base: ORANGE,
      thresholds: [
        [0, GREEN],
        [bound('OmenDBBackupStale'), RED],
      ],
      sparkline: false,
    }),
    stat({
      title: 'Time since the last attempt',
      what: 'Time since a backup was last begun, and how long the last good one took.',
      normal: 'As old as the last good backup.',
      act: 'Younger than it: the attempt failed or runs. Older than the interval: the schedule does not run.',
      alerts: ['OmenDBBackupStale', 'OmenDBBackupNeverSucceeded'],
      unit: 's',
      width: 5,
      height: 8,
      queries: [
        { expr: or(formula`time() - (${attempt} > 0)`, formula`vector(-1)`), legend: 'attempt' },
        { expr: max(gauge('omendb_backup_duration_seconds')), legend: 'duration' },
      ],
      words: { '-1': 'never', '0': 'none' },
      sparkline: false,
    }),
    graph({
      title: 'Free share of the disk',
      what:
        'Free share of the file system of the data folder. Below the upper dashed line an alert looks at ' +
        'the trend, below the lower one it fires.',
      normal: `Above ${percent(bound('OmenDBDiskFillingUp'))}, or steady.`,
      act: 'With the folder as object store: add space, or delete old collections and snapshots.',
      alerts: ['OmenDBDiskFillingUp', 'OmenDBDiskFull'],
      unit: 'percentunit',
      width: 9,
      queries: [
        {
          expr: ratio(gauge('omendb_disk_free_bytes'), gauge('omendb_disk_size_bytes')),
          legend: '{{instance}}',
        },
      ],
      max: 1,
      base: RED,
      thresholds: [
        [bound('OmenDBDiskFull'), ORANGE],
        [bound('OmenDBDiskFillingUp'), GREEN],
      ],
    }),
  ];
}
