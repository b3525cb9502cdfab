/*
 * A session token says how far a client has seen a collection: the collection's id and a sequence number. It
 * is opaque to clients, carries no secret and grants nothing; a token of a collection that was deleted and
 * made anew is an error and not a wait without end.
 */
import { OmenError } from '../core/errors.js';
import type { CollectionId } from '../core/ids.js';

export function sessionToken(collectionId: CollectionId, sequence: number): string {
  return `${collectionId}.${sequence.toString(36)}`;
}

/** The sequence number in the token, 0 for the empty token. */
export function sequenceOfToken(token: string, collectionId: CollectionId): number {
  if (token === '') return 0;
  const match = /^([0-9a-z]{1,64})\.([0-9a-z]{1,11})$/.exec(token);
  const sequence = match?.[2] === undefined ? NaN : Number.parseInt(match[2], 36);
  if (!Number.isSafeInteger(sequence)) {
    throw new OmenError(
      'INVALID_ARGUMENT',
      'sessionToken is malformed: pass the token of a write answer unchanged',
      {
        field: 'sessionToken',
      },
    );
  }
  if (match?.[1] !== collectionId) {
    throw new OmenError(
      'CONDITION_FAILED',
      'sessionToken belongs to another collection, or to one that was deleted since',
      {
        field: 'sessionToken',
      },
    );
  }
  return sequence;
}
