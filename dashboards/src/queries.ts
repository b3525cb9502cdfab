/*
 * Why are reads slow, and do they find what they should?
 */
import { QUERY_OPERATIONS } from '#server/core/metrics/catalog.js';
import { PROMISE, bound, duration, percent } from './lib/alerts.js';
import type { Board } from './lib/board.js';
import { board } from './lib/board.js';
import type { Tile } from './lib/panels.js';
import { BLUE, GREEN, ORANGE, RED, YELLOW, graph, heatmap, stat } from './lib/panels.js';
import {
  bucketRate,
  countRate,
  formula,
  mean,
  quantile,
  rate,
  rateUpTo,
  ratio,
  sum,
  sumRate,
} from './lib/promql.js';
import { choiceVariable } from './lib/variables.js';
import { FAST } from './slo-terms.js';

const CHOSEN = { operation: { chosen: '$operation' } } as const;
/** Recall is measured on a small share of the searches, so a shorter window would often hold none. */
const RECALL_WINDOW = '1h';

/** Board `omendb-queries`. */
export function queries(): Board {
  return board({
    uid: 'omendb-queries',
    description: 'Why are reads slow, and do they find what they should?',
    variables: [
      choiceVariable(
        'operation',
        'Operation',
        ['query', ...QUERY_OPERATIONS.filter((one) => one !== 'query')],
        'The kind of read that "Percentiles" and "Distribution" show.',
      ),
    ],
    rows: [
      { title: 'Latency by operation', tiles: latency() },
      { title: 'Work of a search', tiles: work() },
      { title: 'Memory or object store', tiles: tiers() },
      { title: 'Recall, measured on live searches', tiles: recall() },
    ],
  });
}

function latency(): Tile[] {
  const chosen = bucketRate('omendb_query_latency_seconds', CHOSEN);
  const all = bucketRate('omendb_query_latency_seconds');
  return [
    graph({
      title: 'P99 by operation',
      what: '99 of 100 reads of each kind were faster, whether in memory or not.',
      normal:
        'query as fast as promised in memory; scan_records and count_records take longer, as they read more.',
      act:
        'Only query rises: see the work of a search below. All rise: see the engine pool and the event ' +
        'loop.',
      alerts: ['OmenDBHighLatency', 'OmenDBColdLatencyHigh'],
      boards: ['omendb-engine-pool'],
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, all, 'operation'), legend: '{{operation}}', exemplar: true }],
    }),
    graph({
      title: 'Mean by operation',
      what: 'Mean time of a read. Means add up: times the rate it is how many requests are in work.',
      normal: 'Steady. It moves long before percentiles do.',
      act: 'Look at what changed at that time: a deployment, a new client, a larger collection.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: mean('omendb_query_latency_seconds', { by: ['operation'] }),
          legend: '{{operation}}',
        },
      ],
    }),
    graph({
      title: 'Reads by operation',
      what: 'Reads that succeeded, per second.',
      normal: 'Follows the day of your users.',
      act: 'More reads and slower ones together: the servers are at their limit, add some.',
      unit: 'reqps',
      width: 8,
      queries: [
        { expr: sum(countRate('omendb_query_latency_seconds'), 'operation'), legend: '{{operation}}' },
      ],
      stack: true,
    }),
    graph({
      title: 'Percentiles of $operation',
      what: 'P50, P90, P95 and P99 of the operation chosen above. Points are traced requests.',
      normal:
        `For query in memory: P99 below ${duration(bound('OmenDBHighLatency'))}, the dashed line. The ` +
        'lines keep their distance.',
      act: 'Only P99 rises: some wait, see the engine pool. All rise: every read does more.',
      alerts: ['OmenDBHighLatency'],
      unit: 's',
      width: 12,
      queries: [
        { expr: quantile(0.5, chosen), legend: 'P50', color: GREEN },
        { expr: quantile(0.9, chosen), legend: 'P90', color: BLUE },
        { expr: quantile(0.95, chosen), legend: 'P95', color: YELLOW },
        { expr: quantile(0.99, chosen), legend: 'P99', color: ORANGE, exemplar: true },
      ],
      thresholds: [[bound('OmenDBHighLatency'), RED]],
    }),
    heatmap({
      title: 'Distribution of $operation',
      what: 'How many reads took how long. Points are traced requests: click one for its trace.',
      normal: 'One band in memory, and a thin one above it for reads that waited for the object store.',
      act: 'Open a trace from the slow band: its spans say where the time went.',
      unit: 's',
      width: 12,
      queries: [{ expr: sum(chosen, 'le'), legend: '{{le}}', exemplar: true }],
    }),
  ];
}

function work(): Tile[] {
  const candidates = bucketRate('omendb_search_candidates');
  return [
    graph({
      title: 'Vectors compared and hits per search',
      what:
        'Vectors whose distance a search computed, and the hits that it returned. The scale is ' +
        'logarithmic.',
      normal: 'A few hundred to a few thousand compared for tens of hits.',
      act:
        'Compared ones rise: many writes are not in a segment yet (see Storage), filters are narrow, or ' +
        'the effort was raised.',
      boards: ['omendb-storage'],
      unit: 'short',
      width: 8,
      queries: [
        { expr: quantile(0.5, candidates), legend: 'compared, P50' },
        { expr: quantile(0.99, candidates), legend: 'compared, P99' },
        {
          expr: mean('omendb_search_results'),
          legend: 'hits, mean',
        },
      ],
      log: true,
    }),
    graph({
      title: 'Vectors compared per hit',
      what: 'What a hit costs: vectors compared divided by hits returned.',
      normal: 'Steady for the same clients.',
      act: 'A rise makes searches dearer at the same rate: look for narrow filters or a growing backlog.',
      boards: ['omendb-storage'],
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: ratio(sum(sumRate('omendb_search_candidates')), sum(sumRate('omendb_search_results'))),
          legend: 'compared per hit',
        },
      ],
    }),
    graph({
      title: 'Records per request',
      what: 'Records that one request names: P99 by operation. The scale is logarithmic.',
      normal: 'As your clients batch.',
      act: 'Batches of thousands hold an engine for long: ask for smaller ones if searches wait meanwhile.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: quantile(0.99, bucketRate('omendb_batch_records'), 'operation'),
          legend: '{{operation}}',
        },
      ],
      log: true,
    }),
    heatmap({
      title: 'Distribution of vectors compared',
      what: 'How many searches compared how many vectors.',
      normal: 'One or two bands, as many as there are kinds of collections.',
      act:
        'A new band far above: a client with another filter, or a collection whose flushes do not keep ' +
        'up.',
      unit: 'short',
      width: 12,
      queries: [{ expr: sum(candidates, 'le'), legend: '{{le}}' }],
    }),
    graph({
      title: 'Slow reads',
      what:
        `Share of the reads of each kind that took longer than ${FAST}, and of searches longer than 250 ` +
        'ms.',
      normal: `query below ${percent(1 - PROMISE.latency)}, the dashed line, when collections are in memory.`,
      act: 'Take one from the distribution above and look at its trace.',
      alerts: ['OmenDBLatencyBudgetBurn'],
      boards: ['omendb-slo'],
      unit: 'percentunit',
      width: 12,
      queries: [
        {
          expr: formula`1 - ${ratio(
            sum(rateUpTo('omendb_query_latency_seconds', PROMISE.latencyBound), 'operation'),
            sum(countRate('omendb_query_latency_seconds'), 'operation'),
          )}`,
          legend: `{{operation}} over ${FAST}`,
        },
        {
          expr: formula`1 - ${ratio(
            sum(rateUpTo('omendb_query_latency_seconds', 0.25, { operation: 'query' })),
            sum(countRate('omendb_query_latency_seconds', { operation: 'query' })),
          )}`,
          legend: 'query over 250 ms',
        },
      ],
      thresholds: [[Number((1 - PROMISE.latency).toFixed(6)), RED]],
    }),
  ];
}

function tiers(): Tile[] {
  return [
    graph({
      title: 'P99 of searches in memory and not',
      what:
        'Searches that found all they needed in memory (hot), and those that waited for the object store ' +
        '(cold).',
      normal:
        `hot below ${duration(bound('OmenDBHighLatency'))}, cold below ` +
        `${duration(bound('OmenDBColdLatencyHigh'))}, the dashed lines. Without cold searches they have ` +
        'no line.',
      act: 'cold rises: see the object store in Storage. hot rises: see the engine pool.',
      alerts: ['OmenDBHighLatency', 'OmenDBColdLatencyHigh'],
      boards: ['omendb-storage', 'omendb-engine-pool'],
      unit: 's',
      width: 8,
      queries: [
        {
          expr: quantile(0.99, bucketRate('omendb_query_latency_seconds', { operation: 'query' }), 'tier'),
          legend: '{{tier}}',
          exemplar: true,
        },
      ],
      thresholds: [
        [bound('OmenDBHighLatency'), ORANGE],
        [bound('OmenDBColdLatencyHigh'), RED],
      ],
    }),
    graph({
      title: 'Share of reads from memory',
      what: 'Reads that found all they needed in memory, of all reads of their kind.',
      normal: 'Above 90 % once the collections in use are open.',
      act: 'It falls: more collections are in use than fit in memory. Add memory or servers.',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: ratio(
            sum(countRate('omendb_query_latency_seconds', { tier: 'hot' }), 'operation'),
            sum(countRate('omendb_query_latency_seconds'), 'operation'),
          ),
          legend: '{{operation}}',
        },
      ],
      max: 1,
    }),
    graph({
      title: 'Cache hits',
      what: 'Look-ups that found a collection or a credential in memory, of all look-ups.',
      normal:
        `Above 95 % after a warm-up. Below ${percent(bound('OmenDBCacheHitRatioLow'))}, the dashed line, ` +
        'an alert fires for collections.',
      act:
        'collection falls: collections are closed and opened in turns, add memory. credential: clients ' +
        'change tokens at every request.',
      alerts: ['OmenDBCacheHitRatioLow'],
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: ratio(
            sum(rate('omendb_cache_requests_total', { outcome: 'hit' }), 'cache'),
            sum(rate('omendb_cache_requests_total'), 'cache'),
          ),
          legend: '{{cache}}',
        },
      ],
      max: 1,
      base: RED,
      thresholds: [[bound('OmenDBCacheHitRatioLow'), GREEN]],
    }),
  ];
}

function recall(): Tile[] {
  const name = 'omendb_query_recall_ratio';
  const found = mean(name, { window: RECALL_WINDOW });
  return [
    stat({
      title: 'Mean recall, last hour',
      what:
        'Share of the exact nearest neighbours that sampled searches found, up to the first 10. Measured ' +
        'on live traffic.',
      normal: `Above ${percent(bound('OmenDBRecallLow'))}.`,
      act: 'Raise the effort of the queries, or look for collections with many unmerged segments.',
      alerts: ['OmenDBRecallLow'],
      unit: 'percentunit',
      width: 4,
      height: 8,
      queries: [{ expr: found, legend: 'recall' }],
      nan: 'no samples',
      base: RED,
      thresholds: [
        [0.9, ORANGE],
        [bound('OmenDBRecallLow'), GREEN],
      ],
      decimals: 1,
      max: 1,
    }),
    graph({
      title: 'Recall over time',
      what: 'Mean recall of the last hour, and the recall that 95 of 100 searches reach or exceed.',
      normal: `Mean above ${percent(bound('OmenDBRecallLow'))}, the dashed line; the second line steady.`,
      act:
        'A step down: a new filter or metric in use, or a merge went wrong. Compare with the marks of ' +
        'restarts.',
      alerts: ['OmenDBRecallLow'],
      unit: 'percentunit',
      width: 8,
      queries: [
        { expr: found, legend: 'mean', color: BLUE },
        {
          expr: quantile(0.05, bucketRate(name, {}, RECALL_WINDOW)),
          legend: 'reached by 95 of 100',
          color: ORANGE,
        },
      ],
      softMin: 0.8,
      max: 1,
      base: RED,
      thresholds: [[bound('OmenDBRecallLow'), GREEN]],
    }),
    heatmap({
      title: 'Distribution of recall',
      what: 'How many sampled searches found which share of the exact neighbours.',
      normal: 'Nearly all in the uppermost rows.',
      act: 'A lower band: one kind of query or one collection does badly, while the mean still looks well.',
      unit: 'percentunit',
      width: 6,
      queries: [{ expr: sum(bucketRate(name), 'le'), legend: '{{le}}' }],
    }),
    graph({
      title: 'Samples',
      what:
        'Searches chosen to be repeated exactly, per second: measured, or skipped since the engines were ' +
        'busy.',
      normal: 'A small share of the searches; skipped ones at peak times.',
      act: 'Nothing measured for hours: no engine is ever idle, or sampling is switched off.',
      unit: 'reqps',
      width: 6,
      queries: [{ expr: sum(rate('omendb_query_recall_samples_total'), 'outcome'), legend: '{{outcome}}' }],
      stack: true,
    }),
  ];
}
