/*
 * What the alerts fire at, from the values that their rules are rendered with: a dashed line on a board lies
 * where the alert fires.
 */
import { readValues } from '#alerts/render.mjs';

const values = readValues();

export type AlertName = `OmenDB${string}`;

/** Folder of the runbooks, for links. */
export const RUNBOOKS = values.runbookUrlPrefix;

/** What is promised: shares of 1, and seconds. */
export const PROMISE = {
  availability: Number(values.slo.availability),
  latency: Number(values.slo.latency),
  latencyBound: Number(values.slo.latencyBound),
} as const;

/** The threshold of an alert. @throws When there is no such alert, or it has none. */
export function bound(alert: AlertName): number {
  const threshold = Number(values.alerts[alert]?.threshold);
  if (Number.isNaN(threshold)) throw new Error(`${alert} has no threshold in alerts/values.yaml`);
  return threshold;
}

/** A share of 1 as people write it, such as `99.9 %`. */
export function percent(share: number): string {
  return `${String(Number((share * 100).toPrecision(12)))} %`;
}

/** Seconds as people write them: `50 ms`, `1.5 s`, `26 h`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${String(Number((seconds * 1000).toPrecision(12)))} ms`;
  return seconds < 3600 ? `${String(seconds)} s` : `${String(seconds / 3600)} h`;
}
