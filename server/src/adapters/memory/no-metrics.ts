import type { Counter, Gauge, Histogram, Metrics } from '../../ports/metrics.js';

const NOTHING: Counter & Gauge & Histogram = {
  inc: () => undefined,
  set: () => undefined,
  observe: () => undefined,
};

/** Records nothing, for commands that serve nobody and for servers that are told not to. */
export const NO_METRICS: Metrics = {
  counter: () => NOTHING,
  gauge: () => NOTHING,
  histogram: () => NOTHING,
  gaugeOf: () => undefined,
  counterOf: () => NOTHING,
  onScrape: () => undefined,
};
