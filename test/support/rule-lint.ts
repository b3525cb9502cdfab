/*
 * What makes a rule of Prometheus wrong although Prometheus takes it: alerts that always or never fire, that
 * flap, that lose the labels they are routed by, or that page for nothing when traffic stops.
 */
import type { AlertRule, Rule } from '#alerts/render.mjs';
import type { Recorded } from './known-metrics.js';
import { metricProblems, seriesType } from './known-metrics.js';
import { aggregationsOf, callsOf, divisorsOf, hasCondition, parsePromQl, selectorsOf } from './promql.js';

/** Shortest window of a rate: four scrapes of 15 s, so that a missed one leaves enough. */
const RATE_SECONDS = 60;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
/** They look back themselves: what they find needs no `for`. */
const OVER_A_WINDOW = ['changes', 'increase', 'resets'];
const SEVERITIES = ['critical', 'warning', 'info'];
const ANNOTATIONS = ['summary', 'description', 'runbook_url', 'dashboard_url'];
/** Labels that results have when Prometheus or Kubernetes gives them. */
const MAY_BE_THERE = ['namespace', 'job', 'instance', 'pod', 'deployment'];

/** One line for each thing that is wrong with a rule. Empty when all is well. */
export function ruleProblems(rule: Rule, recorded: Recorded): string[] {
  try {
    parsePromQl(rule.expr);
  } catch (error) {
    return [(error as Error).message];
  }
  const problems = [
    ...metricProblems(rule.expr, recorded),
    ...aggregationProblems(rule.expr),
    ...divisorProblems(rule.expr),
    ...windowProblems(rule.expr),
  ];
  if (rule.alert !== undefined) problems.push(...alertProblems(rule));
  else if (!/^(job:[a-z_]+:[a-z0-9_]+|omendb_p99_latency_pressure)$/.test(rule.record)) {
    problems.push(`${rule.record} is not called job:METRIC:OPERATION`);
  }
  return problems;
}

function alertProblems(rule: AlertRule): string[] {
  const { expr, labels, annotations } = rule;
  const problems: string[] = [];
  if (!hasCondition(expr)) problems.push('it fires as long as its series exist: there is no comparison');
  if (rule.for === undefined) {
    if (/\babsent(_over_time)?\b/.test(expr))
      problems.push('absent without for fires when Prometheus starts');
    const functions = callsOf(expr).map(({ name }) => name);
    if (!OVER_A_WINDOW.some((name) => functions.includes(name))) problems.push('it has no for');
  }
  if (Object.values(labels).some((value) => value.includes('{{'))) {
    problems.push('a label changes with the value, so that every evaluation makes a new alert');
  }
  if (!SEVERITIES.includes(labels['severity'] ?? '')) problems.push('it has no severity that is routed');
  if (labels['service'] !== 'omendb') problems.push('it has no label service="omendb"');
  for (const name of ANNOTATIONS) {
    if ((annotations[name] ?? '') === '') problems.push(`it has no ${name}`);
  }
  return [...problems, ...annotationProblems(rule), ...gaugeProblems(expr)];
}

function annotationProblems({ expr, annotations }: AlertRule): string[] {
  const kept = new Set(aggregationsOf(expr).flatMap(({ keeps }) => keeps ?? []));
  const problems: string[] = [];
  for (const [name, text] of Object.entries(annotations)) {
    for (const [, label = ''] of text.matchAll(/\$labels\.(\w+)/g)) {
      if (!kept.has(label) && !MAY_BE_THERE.includes(label)) {
        problems.push(`${name} tells the label ${label}, which the result does not have`);
      }
    }
    if (/\$(?!labels\.|value\b)\w/.test(text))
      problems.push(`${name} has a word that was not replaced: ${text}`);
    if (/\s{2}/.test(text)) problems.push(`${name} has two spaces in a row`);
  }
  if (!/[.]$/.test(annotations['summary'] ?? '')) problems.push('the summary is no sentence');
  return problems;
}

/** An alert on a gauge as it is now ends with one missed scrape, and then begins anew. */
function gaugeProblems(expr: string): string[] {
  return selectorsOf(expr)
    .filter(({ metric, range }) => range === undefined && metric !== 'up' && !metric.includes(':'))
    .filter(({ metric }) => ['gauge', 'foreign'].includes(seriesType(metric) ?? ''))
    .map(({ metric }) => `${metric} is looked at without a window: one missed scrape resets the alert`);
}

/** Results are routed and inhibited by namespace and job. */
function aggregationProblems(expr: string): string[] {
  return aggregationsOf(expr).flatMap(({ keeps, text }) => {
    if (keeps === null) return [`it does not say what it keeps: ${text}`];
    const needed = /\bkube_/.test(text) ? ['namespace'] : ['namespace', 'job'];
    return needed.filter((label) => !keeps.includes(label)).map((label) => `it loses ${label}: ${text}`);
  });
}

/** Nothing divided by nothing is NaN: it poisons sums, and boards show it as a gap or as zero. */
function divisorProblems(expr: string): string[] {
  return divisorsOf(expr)
    .filter((divisor) => /\b(rate|increase)\s*\(/.test(divisor) && !/>\s*[\d.]+\s*\)$/.test(divisor))
    .map((divisor) => `it divides by what is zero without traffic: ${divisor}`);
}

function windowProblems(expr: string): string[] {
  return selectorsOf(expr)
    .filter(({ within }) => within[0] === 'rate' || within[0] === 'increase')
    .filter(({ range = '' }) => secondsOf(range) < RATE_SECONDS)
    .map(({ metric, range }) => `${metric}[${range ?? ''}] holds too few scrapes`);
}

function secondsOf(range: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(range) ?? [];
  return Number(count ?? 0) * SECONDS[(unit ?? 's') as keyof typeof SECONDS];
}
