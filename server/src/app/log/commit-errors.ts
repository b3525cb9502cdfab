/*
 * What a writer hears when its slot did not simply succeed. `metadata.outcome` tells a program whether the
 * writes may yet appear.
 */
import { OmenError } from '../../core/errors.js';
import type { DecodedSlot } from '../../core/log/wal-slot.js';

/** The slot may have been written. */
export function unknownOutcome(slot: DecodedSlot, cause?: unknown): OmenError {
  return new OmenError(
    'STORAGE_UNAVAILABLE',
    `storage did not say whether log slot ${slot.slot} was written: the writes may yet appear`,
    { metadata: { outcome: 'unknown' }, retryAfterMs: 1000, ...(cause === undefined ? {} : { cause }) },
  );
}

/** The slot is in the log, and memory did not take it: it is read from there before the next write. */
export function notApplied(cause: unknown): OmenError {
  return new OmenError(
    'STORAGE_UNAVAILABLE',
    'the writes are in the log and could not be brought into memory: they appear when it is read again',
    { metadata: { outcome: 'unknown' }, retryAfterMs: 1000, cause },
  );
}

/** The slot was not even tried. */
export function notTried(cause: unknown): OmenError {
  return new OmenError('STORAGE_UNAVAILABLE', 'storage does not answer: the writes were not tried', {
    metadata: { outcome: 'none' },
    retryAfterMs: 1000,
    cause,
  });
}

/** The failure of a later slot, of a request whose earlier one may have been written. */
export function perhapsWritten(cause: unknown): OmenError {
  return new OmenError(
    'STORAGE_UNAVAILABLE',
    'storage failed before it was known whether the writes are in the log: they may be, or may yet appear',
    { metadata: { outcome: 'unknown' }, retryAfterMs: 1000, cause },
  );
}

/** Repeating does not help, and the loop stays where it is: the slot's number is not given up. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof OmenError &&
    (error.reason === 'COLLECTION_NOT_FOUND' || error.reason === 'DATA_CORRUPTED')
  );
}
