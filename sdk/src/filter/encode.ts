/* Filters on their way to the wire, by the same reader that the server uses for JSON. */
import { errorFor } from '../errors.js';
import type { Filter as FilterMessage } from '../gen/messages.js';
import { filterFromJson } from '../gen/runtime/filter.js';
import { InvalidRequest, Place } from '../gen/runtime/place.js';

/**
 * The wire form of a filter. Throws `InvalidArgumentError` that names every problem by its path, such as
 * `filter.year.$gte`.
 */
export function filterToWire(filter: object): FilterMessage {
  try {
    const place = new Place();
    const message = filterFromJson(withoutUndefined(filter), place, 'filter');
    place.finish();
    return message;
  } catch (thrown) {
    if (!(thrown instanceof InvalidRequest)) throw thrown;
    throw errorFor('INVALID_ARGUMENT', thrown.reason, thrown.message, { fieldViolations: thrown.violations });
  }
}

/** A filter put together at run time may have entries that are `undefined`; they ask for nothing. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries.map(([key, entry]) => [key, withoutUndefined(entry)]));
}
