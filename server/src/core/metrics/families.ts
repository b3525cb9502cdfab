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

export function counter<const L extends Labels = Readonly<Record<never, never>>>(
  help: string,
  labels?: L,
): PlainFamily<'counter', L> {
  return { type: 'counter', help, labels: labels ?? ({} as L) };
}

export function gauge<const L extends Labels = Readonly<Record<never, never>>>(
  help: string,
  labels?: L,
): PlainFamily<'gauge', L> {
  return { type: 'gauge', help, labels: labels ?? ({} as L) };
}

export function histogram<const L extends Labels = Readonly<Record<never, never>>>(
  help: string,
  buckets: readonly number[],
  labels?: L,
): HistogramFamily<L> {
  return { type: 'histogram', help, buckets, labels: labels ?? ({} as L) };
}

export function capped(max: number): CappedLabel {
  return { kind: 'capped', max };
}

/** @param values What the values are, for the reference. */
export function fixed(values: string): FixedLabel {
  return { kind: 'fixed', values };
}
