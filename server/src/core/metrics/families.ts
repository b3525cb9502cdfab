/*
 * The words that the metric catalogue is written in.
 */

/** What a label may be: one of these values, or what `capped` or `fixed` says. */
export type LabelValues = readonly string[] | CappedLabel | FixedLabel;

/** Values that clients make up: the first `max` get a series each, the rest share `_other`. */
export interface CappedLabel {
  readonly kind: 'capped';
  readonly max: number;
}

/** Values that are known when the process starts and do not change. */
export interface FixedLabel {
  readonly kind: 'fixed';
  readonly values: string;
}

export type Labels = Readonly<Record<string, LabelValues>>;

/** A family of single values. */
export interface PlainFamily<T extends 'counter' | 'gauge', L extends Labels> {
  readonly type: T;
  readonly help: string;
  readonly labels: L;
}

/** A family that counts values by size. */
export interface HistogramFamily<L extends Labels> {
  readonly type: 'histogram';
  readonly help: string;
  /** Upper bounds, ascending, without the infinite one. */
  readonly buckets: readonly number[];
  readonly labels: L;
}

/** One metric family. */
export type Family = PlainFamily<'counter' | 'gauge', Labels> | HistogramFamily<Labels>;

export type Families = Readonly<Record<`omendb_${string}`, Family>>;

/*
 * Without labels by an overload of its own: the compiler would else take the family's type from the table that
 * it stands in, where it may have any.
 */
type NoLabels = Readonly<Record<never, never>>;

export function counter(help: string): PlainFamily<'counter', NoLabels>;
export function counter<const L extends Labels>(help: string, labels: L): PlainFamily<'counter', L>;
export function counter(help: string, labels: Labels = {}): PlainFamily<'counter', Labels> {
  return { type: 'counter', help, labels };
}

export function gauge(help: string): PlainFamily<'gauge', NoLabels>;
export function gauge<const L extends Labels>(help: string, labels: L): PlainFamily<'gauge', L>;
export function gauge(help: string, labels: Labels = {}): PlainFamily<'gauge', Labels> {
  return { type: 'gauge', help, labels };
}

export function histogram(help: string, buckets: readonly number[]): HistogramFamily<NoLabels>;
export function histogram<const L extends Labels>(
  help: string,
  buckets: readonly number[],
  labels: L,
): HistogramFamily<L>;
export function histogram(
  help: string,
  buckets: readonly number[],
  labels: Labels = {},
): HistogramFamily<Labels> {
  return { type: 'histogram', help, buckets, labels };
}

export function capped(max: number): CappedLabel {
  return { kind: 'capped', max };
}

/** @param values What the values are, for the reference. */
export function fixed(values: string): FixedLabel {
  return { kind: 'fixed', values };
}
