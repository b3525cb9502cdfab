/*
 * What does the object store cost, and what for?
 *
 * Object stores charge for requests in two classes, for stored bytes, and not for deletions or for traffic
 * within a region. The prices are variables of the board.
 */
import type { Board } from './lib/board.js';
import { board } from './lib/board.js';
import type { Tile } from './lib/panels.js';
import { BLUE, graph, stat } from './lib/panels.js';
import type { Vector } from './lib/promql.js';
import { countRate, formula, gauge, number, rate, ratio, sum } from './lib/promql.js';
import { numberVariable } from './lib/variables.js';

/** Charged like a write: a part of a large object is a put. */
const PUT_CLASS = { operation: ['put', 'list', 'multipart'] } as const;
const GET_CLASS = { operation: 'get' } as const;
/** 730 hours. */
const SECONDS_PER_MONTH = number(2_628_000);
const GIGABYTE = number(1e9);
const PRICES =
  'Prices are the variables above; as they come, those of S3 Standard in us-east-1. ' +
  'An estimate: discounts, free tiers and traffic out of the region are not in it.';

/** Board `omendb-cost`. */
export function cost(): Board {
  return board({
    uid: 'omendb-cost',
    description: `What does the object store cost, and what for? ${PRICES}`,
    from: 'now-6h',
    refresh: '1m',
    variables: [
      numberVariable(
        'put',
        'Put, list per 1000',
        '0.005',
        'Price of 1000 put, copy or list requests, in dollars.',
      ),
      numberVariable('get', 'Get per 1000', '0.0004', 'Price of 1000 get requests, in dollars.'),
      numberVariable(
        'gigabyte',
        'GB and month',
        '0.023',
        'Price of storing one gigabyte for a month, in dollars.',
      ),
    ],
    rows: [
      { title: 'Per month, at the present rate', tiles: month() },
      { title: 'Requests', tiles: requests() },
      { title: 'Bytes', tiles: bytes() },
    ],
  });
}

function month(): Tile[] {
  const atRest = formula`min_over_time((${requestMoney('5m')})[1d:1m])`;
  return [
    stat({
      title: 'In all',
      what: `Requests and storage together, for a month like now. ${PRICES}`,
      normal: 'As budgeted.',
      act: 'See which of the parts beside it is.',
      unit: 'currencyUSD',
      width: 4,
      height: 5,
      queries: [{ expr: formula`${requestMoney()} + ${storageMoney()}`, legend: 'in all' }],
      decimals: 2,
    }),
    stat({
      title: 'Requests that write or list',
      what: `put, list and parts of large objects, retries included. ${PRICES}`,
      normal: 'Follows commits: one put for each, and more at flushes and merges.',
      act: 'Larger batches make fewer commits for the same records.',
      unit: 'currencyUSD',
      width: 4,
      height: 5,
      queries: [{ expr: putMoney(), legend: 'put, list' }],
      decimals: 2,
    }),
    stat({
      title: 'Requests that read',
      what: `get, retries included. ${PRICES}`,
      normal: 'Small while the collections in use are in memory.',
      act: 'Rises: collections are opened again and again; more memory is cheaper than gets.',
      boards: ['omendb-queries'],
      unit: 'currencyUSD',
      width: 4,
      height: 5,
      queries: [{ expr: getMoney(), legend: 'get' }],
      decimals: 2,
    }),
    stat({
      title: 'Storage',
      what:
        'Segments of open collections. Log, snapshots and collections that are not open are not in it; ' +
        `collections that several servers have open count once for each. ${PRICES}`,
      normal: 'As budgeted.',
      act: 'Delete collections and snapshots that nobody needs.',
      unit: 'currencyUSD',
      width: 4,
      height: 5,
      queries: [{ expr: storageMoney(), legend: 'storage' }],
      decimals: 2,
    }),
    stat({
      title: 'At rest',
      what:
        'What requests cost in a month as quiet as the quietest five minutes of the last day: the work ' +
        `that nobody asked for. ${PRICES}`,
      normal: 'Near 0: collections at rest send no requests.',
      act: 'Much: something polls. See requests by class when no client is active.',
      unit: 'currencyUSD',
      width: 4,
      height: 5,
      queries: [{ expr: atRest, legend: 'at rest', instant: true }],
      decimals: 2,
      sparkline: false,
    }),
    stat({
      title: 'Per million searches',
      what: `Requests to the object store, writes included, divided by searches. ${PRICES}`,
      normal: 'Falls with more searches, since writes and upkeep are shared.',
      act: 'Rises at the same traffic: more searches wait for the object store, see Queries.',
      boards: ['omendb-queries'],
      unit: 'currencyUSD',
      width: 4,
      height: 5,
      queries: [
        {
          expr: formula`1e6 * (${requestMoney()}) / ${SECONDS_PER_MONTH} / ${searches()}`,
          legend: 'per million searches',
        },
      ],
      nan: 'no searches',
      decimals: 2,
    }),
    graph({
      title: 'Money per month over time',
      what: `The parts over time, each as for a whole month. ${PRICES}`,
      normal: 'Storage steady, requests with the day.',
      act: 'A step: look for a deployment or a new client at that time.',
      unit: 'currencyUSD',
      width: 24,
      queries: [
        { expr: storageMoney(), legend: 'storage' },
        { expr: putMoney(), legend: 'put, list' },
        { expr: getMoney(), legend: 'get' },
      ],
      stack: true,
    }),
  ];
}

function requests(): Tile[] {
  return [
    graph({
      title: 'Requests by price class',
      what: 'Requests to the object store per second, retries included. Deletions cost nothing.',
      normal: 'put and list follow writes, get follows cold reads.',
      act: 'list rises: many collections are opened, or several servers follow the same ones.',
      boards: ['omendb-storage'],
      unit: 'reqps',
      width: 8,
      queries: [
        { expr: sum(rate('omendb_object_store_requests_total', PUT_CLASS)), legend: 'put, list' },
        { expr: sum(rate('omendb_object_store_requests_total', GET_CLASS)), legend: 'get' },
        {
          expr: sum(rate('omendb_object_store_requests_total', { operation: 'delete' })),
          legend: 'delete (free)',
        },
      ],
      stack: true,
    }),
    graph({
      title: 'Requests to the store per search',
      what: 'Gets divided by searches.',
      normal: 'Far below 1: most searches need none.',
      act: 'Above 1: collections do not stay in memory.',
      boards: ['omendb-queries'],
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: ratio(sum(rate('omendb_object_store_requests_total', GET_CLASS)), searches()),
          legend: 'gets per search',
        },
      ],
    }),
    graph({
      title: 'Puts per write',
      what: 'Puts and parts divided by writes of clients.',
      normal: 'Around 1 with single writers: each commit is one put, and flushes add a few.',
      act: 'Far below 1: many writes share a commit, which is cheap. Far above: small flushes, or conflicts.',
      boards: ['omendb-storage'],
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: ratio(
            sum(rate('omendb_object_store_requests_total', { operation: ['put', 'multipart'] })),
            sum(countRate('omendb_write_latency_seconds')),
          ),
          legend: 'puts per write',
        },
      ],
    }),
  ];
}

function bytes(): Tile[] {
  const read = rate('omendb_object_store_bytes_total', { direction: 'read' });
  return [
    graph({
      title: 'Bytes read and written',
      what:
        'Bytes of object bodies per second. Within a region they cost nothing; across regions they cost ' +
        'more than all else.',
      normal: 'written: the writes, and again at flush and merge. read: cold reads and merges.',
      act: 'Keep servers and bucket in one region.',
      boards: ['omendb-storage'],
      unit: 'Bps',
      width: 8,
      queries: [{ expr: sum(rate('omendb_object_store_bytes_total'), 'direction'), legend: '{{direction}}' }],
    }),
    graph({
      title: 'Bytes read per search',
      what: 'Bytes read from the object store divided by searches.',
      normal: 'Near 0 while the collections in use are in memory.',
      act: 'Rises: see the share of reads from memory in Queries.',
      boards: ['omendb-queries'],
      unit: 'bytes',
      width: 8,
      queries: [{ expr: ratio(sum(read), searches()), legend: 'bytes per search' }],
    }),
    graph({
      title: 'Stored bytes',
      what: 'Segments of open collections, and writes that are in the log only.',
      normal: 'Grows with your data.',
      act: 'Grows without writes: snapshots hold old segments, or merges leave much behind.',
      boards: ['omendb-storage'],
      unit: 'decbytes',
      width: 8,
      queries: [
        { expr: sum(gauge('omendb_segment_bytes')), legend: 'segments', color: BLUE },
        { expr: sum(gauge('omendb_wal_bytes')), legend: 'log' },
      ],
      stack: true,
    }),
  ];
}

function searches(): Vector<never> {
  return sum(countRate('omendb_query_latency_seconds', { operation: 'query' }));
}

function putMoney(window?: string): Vector {
  const puts = sum(rate('omendb_object_store_requests_total', PUT_CLASS, window));
  return formula`${puts} * ${SECONDS_PER_MONTH} / 1000 * $put`;
}

function getMoney(window?: string): Vector {
  const gets = sum(rate('omendb_object_store_requests_total', GET_CLASS, window));
  return formula`${gets} * ${SECONDS_PER_MONTH} / 1000 * $get`;
}

function requestMoney(window?: string): Vector {
  return formula`${putMoney(window)} + ${getMoney(window)}`;
}

function storageMoney(): Vector {
  return formula`${sum(gauge('omendb_segment_bytes'))} / ${GIGABYTE} * $gigabyte`;
}
