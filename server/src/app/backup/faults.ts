import { hasReason } from '../../core/errors.js';

/** An object of a backup that is not what it must be. */
export interface Fault {
  readonly key: string;
  /** Of whom, for people. */
  readonly of: string;
  readonly problem: string;
}

/** Damage as a fault; anything else that was thrown is thrown on. */
export function faultOf(error: unknown, place: Pick<Fault, 'key' | 'of'>): Fault {
  if (!hasReason(error, 'DATA_CORRUPTED')) throw error;
  return { ...place, problem: error.message };
}
