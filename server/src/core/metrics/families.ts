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

type NoLabels = Readonly<Record<never, never>>;

/**
 * Without labels by a signature of its own: the compiler would else take the family's type from the table
 * that it stands in, where it may have any.
 */
interface MakePlain<T extends 'counter' | 'gauge'> {
  (help: string): PlainFamily<T, NoLabels>;
  <const L extends Labels>(help: string, labels: L): PlainFamily<T, L>;
}

interface MakeHistogram {
  (help: string, buckets: readonly number[]): HistogramFamily<NoLabels>;
  <const L extends Labels>(help: string, buckets: readonly number[], labels: L): HistogramFamily<L>;
}

/** A family whose values only grow. */
export const counter: MakePlain<'counter'> = (help: string, labels: Labels = {}) =>
  ({ type: 'counter', help, labels }) as const;

/** A family whose values go up and down. */
export const gauge: MakePlain<'gauge'> = (help: string, labels: Labels = {}) =>
  ({ type: 'gauge', help, labels }) as const;

/** A family of distributions. */
export const histogram: MakeHistogram = (help: string, buckets: readonly number[], labels: Labels = {}) =>
  ({ type: 'histogram', help, buckets, labels }) as const;

/** @param max Most values with a series of their own. */
export function capped(max: number): CappedLabel {
  return { kind: 'capped', max };
}

/** @param values What the values are, for the reference. */
export function fixed(values: string): FixedLabel {
  return { kind: 'fixed', values };
}
