/*
 * The first board to open: is it up, is it failing, is it slow, is it full? The top line answers, the rows
 * below say where to look on.
 */
import { PROMISE, bound, duration, percent } from './lib/alerts.js';
import type { Board } from './lib/board.js';
import { board } from './lib/board.js';
import type { Tile } from './lib/panels.js';
import { GREEN, ORANGE, RED, YELLOW, bars, graph, stat, table } from './lib/panels.js';
import type { Vector } from './lib/promql.js';
import {
  FIRING,
  UP,
  ZERO,
  avg,
  bucketRate,
  count,
  formula,
  gauge,
  max,
  min,
  or,
  orElse,
  quantile,
  ratio,
  runtime,
  sum,
} from './lib/promql.js';
import { capacity, errors, latency, traffic } from './overview-rows.js';
import { SEARCHES, budgetLeft, serverErrorRatio } from './slo-terms.js';

const SERVER = ['namespace', 'job', 'instance'] as const;

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
      act:
        'Look at "Servers" below for which one is away, then at its pod: events, last log lines, memory ' +
        'limit.',
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
      act:
        'A server that is up and not ready is starting, draining or without its object store: see ' +
        'Storage.',
      alerts: ['OmenDBNotReady'],
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
      normal:
        `Below ${percent(bound('OmenDBRequestsRefused'))}. Above ` +
        `${percent(bound('OmenDBHighErrorRate'))} an alert fires.`,
      act: 'See "Failures by type" below for what fails.',
      alerts: ['OmenDBHighErrorRate', 'OmenDBRequestsRefused'],
      unit: 'percentunit',
      width: 3,
      queries: [{ expr: serverErrorRatio(), legend: 'failing' }],
      nan: 'no traffic',
      thresholds: [
        [bound('OmenDBRequestsRefused'), YELLOW],
        [bound('OmenDBHighErrorRate'), RED],
      ],
      decimals: 2,
      min: 0,
    }),
    stat({
      title: 'Error budget left',
      what:
        `What is left of the failures that a target of ${percent(PROMISE.availability)} allows in 30 ` +
        'days. Below 0 it is missed.',
      normal: 'Above 25 %.',
      act: 'Put reliability before changes until it recovers; the SLO board says since when it burns.',
      alerts: ['OmenDBErrorBudgetBurnFast', 'OmenDBErrorBudgetBurnSlow'],
      boards: ['omendb-slo'],
      unit: 'percentunit',
      width: 3,
      queries: [{ expr: budgetLeft('errors'), legend: 'left', instant: true }],
      nan: 'no traffic',
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
      nan: 'no traffic',
      what:
        '99 of 100 searches that found all they needed in memory were faster. Waiting for an engine ' +
        'counts.',
      normal: `Below ${duration(bound('OmenDBHighLatency'))}, where an alert fires.`,
      act: 'Compare with the pool wait: waiting means too few engines, else queries have become dearer.',
      alerts: ['OmenDBHighLatency'],
      boards: ['omendb-queries', 'omendb-engine-pool'],
      unit: 's',
      width: 3,
      queries: [
        { expr: quantile(0.99, bucketRate('omendb_query_latency_seconds', SEARCHES)), legend: 'P99' },
      ],
      thresholds: [
        [0.6 * bound('OmenDBHighLatency'), YELLOW],
        [bound('OmenDBHighLatency'), RED],
      ],
    }),
    bars({
      title: 'Full',
      what:
        'The fullest server: memory of its limit, memory of the engines, disk, requests in work and open ' +
        'files of what is allowed.',
      normal: 'Below 80 %. "no limit" means that the container has no memory limit.',
      act:
        'Memory: see Capacity below. Engines: fewer open collections or a larger machine. Disk: see ' +
        'Storage. Open files: clients that do not reuse connections, or a low ulimit -n.',
      alerts: [
        'OmenDBMemoryPressure',
        'OmenDBEngineMemoryFull',
        'OmenDBDiskFillingUp',
        'OmenDBOverloaded',
        'OmenDBFileDescriptorsLow',
      ],
      boards: ['omendb-storage'],
      unit: 'percentunit',
      width: 6,
      queries: [
        { expr: or(max(memoryOfLimit()), formula`vector(-1)`), legend: 'Memory' },
        { expr: max(engineMemoryShare()), legend: 'Engine memory' },
        { expr: max(diskShare()), legend: 'Disk' },
        { expr: max(inFlightShare()), legend: 'Requests in work' },
        { expr: max(openFilesShare()), legend: 'Open files' },
      ],
      words: { '-1': 'no limit' },
      thresholds: [
        [bound('OmenDBOverloaded'), ORANGE],
        [bound('OmenDBMemoryPressure'), RED],
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
      height: 6,
      queries: [
        {
          expr: orElse(
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
      alerts: ['OmenDBServerDown', 'OmenDBNotReady', 'OmenDBCrashLooping'],
      unit: 'short',
      width: 8,
      height: 6,
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
      height: 6,
      queries: [
        {
          expr: ages(),
          legend: '{{instance}} {{version}}',
        },
      ],
      columns: { instance: 'Server', version: 'Version', node: 'Node.js', kernels: 'Kernels', Value: 'Age' },
    }),
  ];
}

/** Memory of each server as a share of its limit. */
function memoryOfLimit(): Vector {
  const usage = sum(gauge('omendb_memory_usage_bytes'), ...SERVER);
  return ratio(usage, max(gauge('omendb_memory_limit_bytes'), ...SERVER));
}

function engineMemoryShare(): Vector {
  return ratio(gauge('omendb_engine_memory_used_bytes'), gauge('omendb_engine_memory_size_bytes'));
}

function diskShare(): Vector {
  return formula`1 - ${ratio(gauge('omendb_disk_free_bytes'), gauge('omendb_disk_size_bytes'))}`;
}

function inFlightShare(): Vector {
  const inWork = sum(gauge('omendb_requests_in_flight'), ...SERVER);
  return ratio(inWork, max(gauge('omendb_requests_in_flight_limit'), ...SERVER));
}

function openFilesShare(): Vector {
  return ratio(runtime('process_open_fds'), runtime('process_max_fds'));
}

/** Seconds since the process began, with what it runs. */
function ages(): Vector {
  const age = formula`(time() - ${runtime('process_start_time_seconds')})`;
  const version = gauge('omendb_build_info');
  return max(
    formula`${age} * on (namespace, job, instance) group_left (version, node, kernels) ${version}`,
    ...['instance', 'version', 'node', 'kernels'],
  );
}
