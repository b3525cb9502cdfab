/*
 * Writes PromQL from the metric catalogue. A family, label or value that the catalogue does not have does not
 * compile; neither does grouping by a label that the series do not carry.
 *
 * Every selector matches the variables of the boards, so that one board serves all releases and servers.
 */
import type { LabelsOf, MetricName, NameOf, RUNTIME_FAMILIES } from '#server/core/metrics/catalog.js';
import { CATALOG } from '#server/core/metrics/catalog.js';

/** Labels that Prometheus puts on every series of a server. */
export type TargetLabel = 'namespace' | 'job' | 'instance';

/** An instant vector whose series carry the labels `L`. */
export interface Vector<L extends string = string> {
  readonly text: string;
  /** For the compiler only. */
  readonly labels?: L;
}

/** The buckets of a histogram, one series for each bound. */
export interface Buckets<L extends string> extends Vector<L | 'le'> {
  readonly buckets: true;
  /** For the compiler only. */
  readonly own?: L;
}

type OwnLabel<N extends MetricName> = keyof (typeof CATALOG)[N]['labels'] & string;
type LabelOf<N extends MetricName> = OwnLabel<N> | TargetLabel;
type Values<V> = V | readonly V[];
/** What a label has to be: a value, one of several, none of them, or what a variable of the board says. */
type Condition<V> = Values<V> | { readonly not: Values<V> } | { readonly chosen: `$${string}` };
/** Conditions on the labels of a family. */
export type Where<N extends MetricName> = [OwnLabel<N>] extends [never]
  ? Readonly<Record<string, never>>
  : { readonly [L in OwnLabel<N>]?: Condition<LabelsOf<N>[L & keyof LabelsOf<N>]> };

type RuntimeName = keyof typeof RUNTIME_FAMILIES;
type RuntimeOf<T extends string> = {
  [N in RuntimeName]: (typeof RUNTIME_FAMILIES)[N][0] extends T ? N : never;
}[RuntimeName];
type RuntimeLabel<N extends RuntimeName> = (typeof RUNTIME_FAMILIES)[N] extends readonly [
  string,
  ...infer L extends readonly string[],
]
  ? L[number] | TargetLabel
  : never;

const TARGET = 'namespace=~"$namespace",job=~"$job",instance=~"$instance"';
/** Long enough for four scrapes, and no shorter than a point of the graph is wide. */
const WINDOW = '$__rate_interval';

/** The series of a gauge. */
export function gauge<N extends NameOf<'gauge'>>(name: N, where?: Where<N>): Vector<LabelOf<N>> {
  return { text: select(name, where) };
}

/** How fast a counter grows, per second. */
export function rate<N extends NameOf<'counter'>>(
  name: N,
  where?: Where<N>,
  window = WINDOW,
): Vector<LabelOf<N>> {
  return { text: `rate(${select(name, where)}[${window}])` };
}

/** By how much a counter grew in a window. */
export function increase<N extends NameOf<'counter'>>(
  name: N,
  where?: Where<N>,
  window = WINDOW,
): Vector<LabelOf<N>> {
  return { text: `increase(${select(name, where)}[${window}])` };
}

/** How fast the buckets of a histogram fill, for quantiles and heatmaps. */
export function bucketRate<N extends NameOf<'histogram'>>(
  name: N,
  where?: Where<N>,
  window = WINDOW,
): Buckets<LabelOf<N>> {
  return { text: `rate(${select(`${name}_bucket`, where)}[${window}])`, buckets: true };
}

/** Values up to `bound`, per second. @throws When the family has no bucket that ends there. */
export function rateUpTo<N extends NameOf<'histogram'>>(
  name: N,
  bound: number,
  where?: Where<N>,
  window = WINDOW,
): Vector<LabelOf<N>> {
  if (!CATALOG[name].buckets.includes(bound)) throw new Error(`${name} has no bucket ${String(bound)}`);
  return { text: `rate(${select(`${name}_bucket`, where, `le="${String(bound)}"`)}[${window}])` };
}

/** Values that a histogram counted, per second. */
export function countRate<N extends NameOf<'histogram'>>(
  name: N,
  where?: Where<N>,
  window = WINDOW,
): Vector<LabelOf<N>> {
  return { text: `rate(${select(`${name}_count`, where)}[${window}])` };
}

/** Sum of the values that a histogram counted, per second. */
export function sumRate<N extends NameOf<'histogram'>>(
  name: N,
  where?: Where<N>,
  window = WINDOW,
): Vector<LabelOf<N>> {
  return { text: `rate(${select(`${name}_sum`, where)}[${window}])` };
}

/** A gauge of the process or of Node.js. */
export function runtime<N extends RuntimeOf<'gauge'>>(name: N): Vector<RuntimeLabel<N>> {
  return { text: `${name}{${TARGET}}` };
}

/** How fast a counter of the process grows, per second. */
export function runtimeRate<N extends RuntimeOf<'counter'>>(name: N): Vector<RuntimeLabel<N>> {
  return { text: `rate(${name}{${TARGET}}[${WINDOW}])` };
}

/** Sum or number of the values of a histogram of Node.js, per second. */
export function runtimeHistogramRate<N extends RuntimeOf<'histogram'>>(
  name: N,
  part: 'sum' | 'count',
): Vector<RuntimeLabel<N>> {
  return { text: `rate(${name}_${part}{${TARGET}}[${WINDOW}])` };
}

/** 1 for each server that Prometheus reached, 0 for one that it did not. */
export const UP: Vector<TargetLabel> = { text: `up{${TARGET}}` };

/**
 * Our alerts that fire. Most of them are about several servers, so they carry no `instance`, and some are
 * about servers that do not exist, so they carry no `job`.
 */
export const FIRING: Vector<'alertname' | 'severity' | 'namespace'> = {
  text: 'ALERTS{namespace=~"$namespace",alertname=~"OmenDB.+",alertstate="firing"}',
};

const aggregation =
  (name: string) =>
  <L extends string, K extends L = never>(vector: Vector<L>, ...by: readonly K[]): Vector<K> => ({
    text: `${name}${by.length > 0 ? ` by (${by.join(', ')}) ` : ''}(${vector.text})`,
  });

export const sum = aggregation('sum');
export const max = aggregation('max');
export const min = aggregation('min');
export const avg = aggregation('avg');
export const count = aggregation('count');

/** The largest `n` series at each moment. `n` is a number or a variable of the board. */
export function topk<L extends string>(n: string, vector: Vector<L>): Vector<L> {
  return { text: `topk(${n}, ${vector.text})` };
}

/** The value below which the share `q` of the values lies, from the rate of buckets. */
export function quantile<L extends string, K extends L = never>(
  q: number,
  buckets: Buckets<L>,
  ...by: readonly K[]
): Vector<K> {
  return { text: `histogram_quantile(${String(q)}, sum by (${['le', ...by].join(', ')}) (${buckets.text}))` };
}

/** `a / b`, of which both have the same labels. */
export function ratio<L extends string>(a: Vector<L>, b: Vector<L>): Vector<L> {
  return { text: `${a.text} / ${b.text}` };
}

/** Mean of the values that a histogram counted, by these labels. */
export function mean<N extends NameOf<'histogram'>, K extends LabelOf<N> = never>(
  name: N,
  { where, window, by = [] }: MeanOptions<N, K> = {},
): Vector<K> {
  return ratio(sum(sumRate(name, where, window), ...by), sum(countRate(name, where, window), ...by));
}

/** Which values, over which time, and apart by which labels. */
export interface MeanOptions<N extends NameOf<'histogram'>, K extends LabelOf<N>> {
  readonly where?: Where<N>;
  readonly window?: string;
  readonly by?: readonly K[];
}

/** The first, or the other where the first has no series. */
export function or<L extends string>(first: Vector<L>, other: Vector<string>): Vector<L> {
  return { text: `${first.text} or ${other.text}` };
}

/** The first, or a series with other labels where the first has none at all. */
export function orElse<L extends string>(first: Vector<L>, other: Vector): Vector<L> {
  return { text: `${first.text} or on () ${other.text}` };
}

/** Nothing counts as 0. Only for what has no series while all is well. */
export const ZERO: Vector<never> = { text: 'vector(0)' };

/** A number in a formula. */
export function number(value: number): Vector<never> {
  return { text: String(value) };
}

/** PromQL around vectors: formula`1 - ${a} / ${b}`. The labels are up to the test of legends. */
export function formula(parts: TemplateStringsArray, ...vectors: readonly Vector[]): Vector {
  return { text: String.raw({ raw: parts }, ...vectors.map(({ text }) => text)) };
}

function select(name: string, where: object = {}, more = ''): string {
  const matchers = Object.entries(where).map(([label, condition]) =>
    matcher(label, condition as AnyCondition),
  );
  return `${name}{${[TARGET, ...matchers, ...(more === '' ? [] : [more])].join(',')}}`;
}

type AnyCondition = Condition<string>;

function matcher(label: string, condition: AnyCondition): string {
  if (typeof condition === 'object' && 'chosen' in condition) return `${label}=~"${condition.chosen}"`;
  const negated = typeof condition === 'object' && 'not' in condition;
  const values = negated ? condition.not : condition;
  const [equals, matches] = negated ? ['!=', '!~'] : ['=', '=~'];
  return typeof values === 'string'
    ? `${label}${equals}"${values}"`
    : `${label}${matches}"${values.join('|')}"`;
}
