/*
 * Who uses the servers, and who meets a limit?
 */
import { bound } from './lib/alerts.js';
import type { Board } from './lib/board.js';
import { board } from './lib/board.js';
import type { Query, Tile } from './lib/panels.js';
import { RED, bars, graph, stat } from './lib/panels.js';
import type { Vector } from './lib/promql.js';
import { formula, gauge, increase, orElse, rate, sum, topk } from './lib/promql.js';
import { numberVariable } from './lib/variables.js';

const COUNTED =
  'Tenants are counted only with OMENDB_METRICS_TENANTS=true; without it there is one line, "not counted".';

/** Board `omendb-tenants`. */
export function tenants(): Board {
  return board({
    uid: 'omendb-tenants',
    description: 'Who uses the servers, and who meets a limit?',
    variables: [numberVariable('limit', 'Largest', '10', 'How many of the largest are shown.')],
    rows: [
      { title: 'How many, and how large', tiles: sizes() },
      { title: 'Limits and refusals', tiles: limits() },
      { title: 'The largest collections', tiles: largestCollections() },
      { title: 'The largest tenants', tiles: largestTenants(), collapsed: true },
    ],
  });
}

function sizes(): Tile[] {
  return [
    stat({
      title: 'Tenants with open collections',
      what: 'Tenants of which a server has a collection open. On several servers one tenant may count twice.',
      normal: 'As many as use the service.',
      act: 'A sudden fall: see requests on the board Server.',
      boards: ['omendb-server'],
      unit: 'short',
      width: 4,
      height: 8,
      queries: [{ expr: sum(gauge('omendb_tenants')), legend: 'tenants' }],
      decimals: 0,
    }),
    bars({
      title: 'Tenants by size',
      what:
        'Tenants with open collections, by their vectors: fewer than 100, from 100, from 10 000, from 1 ' +
        '000 000.',
      normal: 'Many small ones, few large ones.',
      act: 'More large ones: check the memory on the board Server.',
      boards: ['omendb-server'],
      unit: 'short',
      width: 6,
      height: 8,
      queries: bySize(),
      decimals: 0,
    }),
    graph({
      title: 'Collections by state',
      what: 'Collections that are open: in use (active), or at rest with nothing to do (resting).',
      normal: 'Resting ones cost memory only and are closed when it is needed.',
      act: 'More active ones than fit in memory: reads wait for the object store, see Queries.',
      boards: ['omendb-queries'],
      unit: 'short',
      width: 7,
      queries: [{ expr: sum(gauge('omendb_collections'), 'state'), legend: '{{state}}' }],
      stack: true,
      decimals: 0,
    }),
    graph({
      title: 'Tenants by size over time',
      what: 'The same over time.',
      normal: 'Steady, or growing with your users.',
      act: 'Tenants move up a class: plan for memory.',
      unit: 'short',
      width: 7,
      queries: bySize(),
      stack: true,
      decimals: 0,
    }),
  ];
}

/** Legends that people read, instead of the values of the label. */
function bySize(): Query[] {
  const names = {
    '0': 'below 100',
    '1e2': 'from 100',
    '1e4': 'from 10 000',
    '1e6': 'from 1 000 000',
  } as const;
  return (Object.keys(names) as (keyof typeof names)[]).map((size_class) => ({
    expr: sum(gauge('omendb_tenants', { size_class })),
    legend: names[size_class],
  }));
}

function limits(): Tile[] {
  return [
    graph({
      title: 'Refused for a limit',
      what:
        'Requests per second that were refused: too many of a tenant (rate_limited), its quota ' +
        '(quota_exceeded), or writes faster than flushes (write_backpressure).',
      normal: '0, or single tenants at their limit.',
      act:
        'rate_limited: talk to the tenant or raise its limit. write_backpressure: see the backlog in ' +
        'Storage.',
      alerts: ['OmenDBRequestsRefused'],
      boards: ['omendb-storage'],
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: sum(
            rate('omendb_errors_total', { type: ['rate_limited', 'quota_exceeded', 'write_backpressure'] }),
            'type',
          ),
          legend: '{{type}}',
        },
      ],
    }),
    graph({
      title: 'Credentials refused',
      what:
        'Refused credentials per second, by reason. The dashed line is where OmenDBAuthFailures fires on ' +
        'invalid ones.',
      normal: 'A few expired ones.',
      act:
        'invalid or forbidden in a burst: a client with a wrong key, or somebody who tries. The log has ' +
        'the addresses.',
      unit: 'reqps',
      width: 8,
      alerts: ['OmenDBAuthFailures'],
      queries: [{ expr: sum(rate('omendb_auth_failures_total'), 'reason'), legend: '{{reason}}' }],
      thresholds: [[bound('OmenDBAuthFailures'), RED]],
    }),
    graph({
      title: 'Names folded into _other',
      what:
        'Collections and tenants that got no series of their own within the width of one point, since ' +
        'the family was full. Sums stay right.',
      normal: '0 with up to 100 collections and 50 tenants per server.',
      act: 'Nothing breaks. The lists below show less than there is.',
      alerts: ['OmenDBMetricsCardinalityCapped'],
      unit: 'short',
      width: 8,
      queries: [
        { expr: sum(increase('omendb_metrics_dropped_label_sets_total'), 'metric'), legend: '{{metric}}' },
      ],
    }),
  ];
}

function largestCollections(): Tile[] {
  const vectors = sum(gauge('omendb_vectors_total'), 'collection');
  return [
    bars({
      title: 'Largest collections',
      what:
        'Collections with the most vectors, of those that are open. _other: those beyond the first 100 ' +
        'of a server.',
      normal: 'As you know your data.',
      act: 'One that you do not know: ask its tenant before it fills the memory.',
      unit: 'short',
      width: 12,
      height: 9,
      queries: [{ expr: topk('$limit', vectors), legend: '{{collection}}', instant: true }],
    }),
    graph({
      title: 'Largest collections over time',
      what: 'The same over time. A line ends when its collection is closed.',
      normal: 'Smooth.',
      act: 'A step up: a bulk load. A step down: a bulk delete, or the collection was closed.',
      unit: 'short',
      width: 12,
      height: 9,
      queries: [{ expr: topk('$limit', vectors), legend: '{{collection}}' }],
      legend: 'table',
    }),
  ];
}

function largestTenants(): Tile[] {
  return [
    graph({
      title: 'Tenants with the most requests',
      what: `Requests per second of the busiest tenants. ${COUNTED}`,
      normal: 'No tenant with most of the traffic, unless it is known.',
      act: 'One tenant takes it all while others wait: limit it.',
      unit: 'reqps',
      width: 12,
      height: 9,
      queries: [
        {
          expr: named(topk('$limit', sum(rate('omendb_tenant_requests_total'), 'tenant'))),
          legend: '{{tenant}}',
        },
      ],
      legend: 'table',
    }),
    graph({
      title: 'Tenants with the most vectors',
      what: `Vectors in open collections of the largest tenants. ${COUNTED}`,
      normal: 'Grows with their data.',
      act: 'One grows faster than the rest: check its quota.',
      unit: 'short',
      width: 12,
      height: 9,
      queries: [
        {
          expr: named(topk('$limit', sum(gauge('omendb_tenant_vectors'), 'tenant'))),
          legend: '{{tenant}}',
        },
      ],
      legend: 'table',
    }),
  ];
}

/** The series, or one that says why there are none while a server runs. */
function named(vector: Vector<'tenant'>): Vector<'tenant'> {
  const running = sum(gauge('omendb_ready'));
  return orElse(vector, formula`label_replace(0 * ${running}, "tenant", "not counted", "", "")`);
}
