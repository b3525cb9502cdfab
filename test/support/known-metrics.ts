/*
 * What PromQL of ours may name: metrics of the catalogue, with their labels and values, those of Node.js,
 * those that Prometheus and Kubernetes add, and what recording rules make.
 */
import { CATALOG, RUNTIME_FAMILIES } from '#server/core/metrics/catalog.js';
import type { Family } from '#server/core/metrics/families.js';
import type { Matcher, Selector } from './promql.js';
import { groupingsOf, selectorsOf } from './promql.js';

/** Labels that Prometheus or the operator puts on every series of a target. */
export const TARGET_LABELS = ['job', 'instance', 'namespace', 'pod', 'service', 'container', 'endpoint'];

/** Labels of series that neither we nor a recording rule make, by metric. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  up: [],
  scrape_duration_seconds: [],
  scrape_samples_scraped: [],
  scrape_samples_post_metric_relabeling: [],
  ALERTS: ['alertname', 'alertstate', 'severity'],
  ALERTS_FOR_STATE: ['alertname', 'severity'],
  kube_deployment_spec_replicas: ['deployment'],
  kube_deployment_status_replicas_available: ['deployment'],
  kube_deployment_status_condition: ['deployment', 'condition', 'status'],
  kube_pod_status_phase: ['phase'],
  kube_pod_container_status_restarts_total: [],
  kube_pod_container_status_last_terminated_reason: ['reason'],
  kube_pod_container_resource_requests: ['resource', 'unit'],
  kube_pod_container_resource_limits: ['resource', 'unit'],
  kube_horizontalpodautoscaler_status_desired_replicas: ['horizontalpodautoscaler'],
  kube_horizontalpodautoscaler_spec_max_replicas: ['horizontalpodautoscaler'],
};

/** A list of values; null: any. */
type Values = readonly string[] | null;
interface Series {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'foreign';
  readonly labels: ReadonlyMap<string, Values>;
}

const SERIES = new Map<string, Series>();
for (const [name, family] of Object.entries(CATALOG) as [string, Family][]) {
  const labels = Object.entries(family.labels).map(([label, values]): [string, Values] => [
    label,
    Array.isArray(values) ? (values as string[]) : null,
  ]);
  addSeries(name, family.type, labels, 'buckets' in family ? family.buckets : undefined);
}
for (const [name, [type, ...labels]] of Object.entries(RUNTIME_FAMILIES)) {
  addSeries(
    name,
    type,
    labels.map((label): [string, Values] => [label, null]),
  );
}
for (const [name, labels] of Object.entries(FOREIGN)) {
  SERIES.set(name, { type: 'foreign', labels: new Map(labels.map((label) => [label, null])) });
}

function addSeries(
  name: string,
  type: 'counter' | 'gauge' | 'histogram',
  labels: readonly [string, Values][],
  buckets?: readonly number[],
): void {
  if (type !== 'histogram') {
    SERIES.set(name, { type, labels: new Map(labels) });
    return;
  }
  const bounds = buckets === undefined ? null : [...buckets.map(String), '+Inf'];
  SERIES.set(`${name}_bucket`, { type, labels: new Map<string, Values>([...labels, ['le', bounds]]) });
  for (const part of ['sum', 'count']) SERIES.set(`${name}_${part}`, { type, labels: new Map(labels) });
}

/** Labels of what recording rules make, by name. */
export type Recorded = ReadonlyMap<string, readonly string[]>;

/**
 * @returns One line for each name, label or value in the expression that no series has, and for each counter
 * that
 *   is not looked at as a rate. Empty when all is well.
 * @param recorded Recording rules that may be used.
 * @throws When the text is no PromQL.
 */
export function metricProblems(expr: string, recorded: Recorded = new Map()): string[] {
  const problems: string[] = [];
  const seen = new Set<string>([...TARGET_LABELS, 'le']);
  for (const selector of selectorsOf(expr)) {
    const series = seriesOf(selector.metric, recorded);
    if (series === undefined) {
      problems.push(`there is no metric ${selector.metric}`);
      continue;
    }
    for (const label of series.labels.keys()) seen.add(label);
    for (const matcher of selector.matchers) problems.push(...matcherProblems(selector, series, matcher));
    problems.push(...typeProblems(selector, series));
  }
  for (const { kind, labels } of groupingsOf(expr)) {
    for (const label of labels) {
      if (!seen.has(label)) problems.push(`no metric here has the label ${label} of ${kind}`);
    }
  }
  return problems;
}

/** What kind of series this is: `foreign` ones are none of ours; undefined: there is none. */
export function seriesType(metric: string): Series['type'] | undefined {
  return SERIES.get(metric)?.type;
}

function seriesOf(metric: string, recorded: Recorded): Series | undefined {
  const labels = recorded.get(metric);
  if (labels === undefined) return SERIES.get(metric);
  return { type: 'gauge', labels: new Map(labels.map((label) => [label, null])) };
}

function matcherProblems({ metric }: Selector, series: Series, { label, op, value }: Matcher): string[] {
  if (label === '__name__' || TARGET_LABELS.includes(label)) return [];
  if (!series.labels.has(label)) return [`${metric} has no label ${label}`];
  const values = series.labels.get(label);
  if (values === undefined || values === null) return [];
  if (label === 'le' && op === '=' && /^\d+$/.test(value)) {
    return [`${metric}{le="${value}"} matches nothing in Prometheus 3, which writes ${value}.0`];
  }
  return alternatives(op, value)
    .filter((wanted) => !values.some((known) => new RegExp(`^(?:${wanted})$`).test(known)))
    .map((wanted) => `${metric} has no ${label}="${wanted}"`);
}

/** What a matcher names, as regular expressions: each alternative of a flat list must exist. */
function alternatives(op: Matcher['op'], value: string): string[] {
  if (op === '=' || op === '!=') return value === '' ? [] : [value.replace(/[.+*?^$()[\]{}|\\]/g, '\\$&')];
  return /[()[\]]/.test(value) ? [value] : value.split('|');
}

const OF_COUNTERS = ['rate', 'irate', 'increase', 'resets'];

function typeProblems({ metric, range, within }: Selector, { type }: Series): string[] {
  const isCounter = type === 'counter' || type === 'histogram';
  const wrapped = OF_COUNTERS.includes(within[0] ?? '');
  if (isCounter && !wrapped) {
    const around = within[0] === 'absent' || within[0] === 'count' || within[0] === 'group';
    return around ? [] : [`${metric} only grows: look at its rate or increase`];
  }
  if (type === 'gauge' && wrapped && range !== undefined)
    return [`${metric} is a gauge: ${within[0] ?? ''} means nothing`];
  return [];
}
