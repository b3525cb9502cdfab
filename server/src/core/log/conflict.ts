/*
 * Why a change of a root is refused.
 */
import { OmenError } from '../errors.js';
import type { Root } from './root.js';

/** Why a transition was refused; value of `metadata.conflict`. */
export const CONFLICTS = [
  'job-revoked',
  'job-exists',
  'segment-gone',
  'deletes-changed',
  'floor-moved',
] as const;
export type Conflict = (typeof CONFLICTS)[number];

/** Which conflict made a transition refuse, or null if `error` is something else. */
export function conflictOf(error: unknown): Conflict | null {
  if (!(error instanceof OmenError)) return null;
  return CONFLICTS.find((conflict) => conflict === error.metadata['conflict']) ?? null;
}

/** Throws `COLLECTION_NOT_FOUND` when the collection is sealed. */
export function checkOpen(root: Root): void {
  if (root.sealed) {
    throw new OmenError('COLLECTION_NOT_FOUND', `collection "${root.schema.name}" was deleted`);
  }
}

/** The premise of a transition does not hold any more. */
export function refused(conflict: Conflict, message: string): OmenError {
  return new OmenError('COLLECTION_BUSY', message, { metadata: { conflict } });
}
