/**
 * The object that carries remembered requests across a flush: an envelope with one entry per request, oldest
 * first.
 */
import type { EnvelopeKind } from '../../core/log/envelope.js';
import { decodeEnvelope, encodeEnvelope } from '../../core/log/envelope.js';
import { OmenError } from '../../core/errors.js';
import type { RememberedRequest } from './request-window.js';
import { WRITE_KINDS } from './request-window.js';

const KIND: EnvelopeKind = { magic: 'OMRW', version: 2 };

export function encodeRequestWindow(requests: readonly RememberedRequest[]): Uint8Array {
  return encodeEnvelope(KIND, { requests });
}

/** Throws `DATA_CORRUPTED` naming the source. */
export function decodeRequestWindow(bytes: Uint8Array, source: string): readonly RememberedRequest[] {
  const { requests } = decodeEnvelope(KIND, bytes, source);
  if (Array.isArray(requests) && requests.every(isRemembered)) return requests;
  throw new OmenError('DATA_CORRUPTED', `${source} does not hold a list of remembered requests`);
}

function isRemembered(value: unknown): value is RememberedRequest {
  const { requestId, kind, answer, slot, sequence, timeMs } = value as Partial<RememberedRequest>;
  return (
    typeof requestId === 'string' &&
    WRITE_KINDS.some((known) => known === kind) &&
    typeof answer === 'object' &&
    Number.isSafeInteger(slot) &&
    Number.isSafeInteger(sequence) &&
    typeof timeMs === 'number'
  );
}
