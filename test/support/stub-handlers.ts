// Handlers of which a test gives only those it calls.
import type { Handlers, QueryResponse } from '#server/app/api.js';

/** Every use case that is not given fails, so that a call of it is seen. */
export function stubHandlers(given: Partial<Handlers>): Handlers {
  return new Proxy(given, {
    get: (target, name) =>
      Reflect.get(target, name) ??
      (() => Promise.reject(new Error(`the test does not expect a call of ${String(name)}`))),
  }) as Handlers;
}

/** An answer to a query that found nothing. */
export const NO_HITS: QueryResponse = {
  hits: [],
  ...{ sequenceNumber: 0, sessionToken: '' },
  performance: {
    ...{ serverMs: 0, queueMs: 0, engineMs: 0, tier: 'hot', roundTrips: 0, objectStoreGets: 0 },
    ...{ bytesRead: 0, candidates: 0, exact: true, partial: false, partialReason: null },
  },
};
