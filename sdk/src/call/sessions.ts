/*
 * Read-your-writes and reads that never go back in time: every answer, to a write or a read, comes with a
 * token of the state that it was given from, and every read with session consistency carries the newest one
 * of its collection, whichever servers gave and get it.
 */

/** The newest session token of each collection. */
export class Sessions {
  readonly #tokens = new Map<string, { readonly sequenceNumber: bigint; readonly token: string }>();

  /** A write was acknowledged or a state was seen. Answers may come out of order; the newest state counts. */
  saw(collection: string, sequenceNumber: bigint, token: string): void {
    const known = this.#tokens.get(collection);
    if (token === '' || (known !== undefined && known.sequenceNumber > sequenceNumber)) return;
    this.#tokens.set(collection, { sequenceNumber, token });
  }

  /** The token to send with a read; empty when nothing is known of the collection. */
  tokenOf(collection: string): string {
    return this.#tokens.get(collection)?.token ?? '';
  }

  /**
   * The collection is gone: a new one of the same name has another history. With a token, that is forgotten
   * and nothing newer.
   */
  forget(collection: string, token = this.tokenOf(collection)): void {
    if (this.tokenOf(collection) === token) this.#tokens.delete(collection);
  }
}
