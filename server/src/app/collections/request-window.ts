/*
 * The answers of writes that carried a request id, kept so that a repeated request gets its first answer and
 * is not written twice.
 *
 * Entries come from the log (a crash forgets none) and are carried across a flush in an object of their own.
 * Bounded by age and number: the oldest go first.
 */
import { OmenError } from '../../core/errors.js';
import { LIMITS } from '../../core/limits.js';

export const WRITE_KINDS = ['upsert', 'patch', 'delete'] as const;
export type WriteKind = (typeof WRITE_KINDS)[number];

/** What the log keeps of an answer: enough to give it again. */
export interface RememberedAnswer {
  readonly kind: WriteKind;
  /** The counts and ids of the answer, as JSON values. */
  readonly answer: Readonly<Record<string, unknown>>;
}

export interface RememberedRequest extends RememberedAnswer {
  readonly requestId: string;
  /** The log slot that it was written in. */
  readonly slot: number;
  /** The last write of the request. */
  readonly sequence: number;
  readonly timeMs: number;
}

export class RequestWindow {
  readonly #entries = new Map<string, RememberedRequest>();

  get size(): number {
    return this.#entries.size;
  }

  add(entry: RememberedRequest): void {
    this.#entries.delete(entry.requestId);
    this.#entries.set(entry.requestId, entry);
    this.#prune(entry.timeMs);
  }

  /**
   * The entry of a request id, or undefined. Throws `REQUEST_ID_REUSED` when the id belongs to another kind
   * of write.
   */
  find(requestId: string, kind: WriteKind): RememberedRequest | undefined {
    const entry = this.#entries.get(requestId);
    if (entry !== undefined && entry.kind !== kind) throw reusedRequestId(entry.kind, kind);
    return entry;
  }

  /** Entries of the log slots behind `after`, up to `through`, oldest first. */
  between(after: number, through: number): RememberedRequest[] {
    return [...this.#entries.values()].filter(({ slot }) => slot > after && slot <= through);
  }

  #prune(nowMs: number): void {
    for (const [requestId, entry] of this.#entries) {
      const expired = entry.timeMs < nowMs - LIMITS.idempotencyWindowMs;
      if (!expired && this.#entries.size <= LIMITS.idempotencyEntriesMax) return;
      this.#entries.delete(requestId);
    }
  }
}

/** The id of a request names one of another kind. */
export function reusedRequestId(used: WriteKind, kind: WriteKind): OmenError {
  return new OmenError(
    'REQUEST_ID_REUSED',
    `requestId was used for a request of kind "${used}" and cannot name one of kind "${kind}": ` +
      'use a new one for every request',
    { field: 'requestId' },
  );
}
