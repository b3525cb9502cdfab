/*
 * The counts that every cache of pieces keeps, in one place, so that all of them mean the same.
 */

/** Numbers by reason, all of them there from the start. */
export type CountsBy<R extends string> = Record<R, number>;

/** Zero for every reason. */
export function zeroCounts<R extends string>(reasons: readonly R[]): CountsBy<R> {
  return Object.fromEntries(reasons.map((reason) => [reason, 0])) as CountsBy<R>;
}
