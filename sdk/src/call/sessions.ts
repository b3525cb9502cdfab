/*
 * Read-your-writes: every write answers with a token, and every read with session consistency carries the
 * newest one of its collection, so that a read sees the client's own writes whichever server answers it.
 */

/** The newest session token of each collection. */
export class Sessions {
  readonly #tokens = new Map<string, { readonly sequenceNumber: bigint; readonly token: string }>();

  /** A write was acknowledged. Answers may come out of order; the newest write counts. */
  wrote(collection: string, sequenceNumber: bigint, token: string): void {
    const known = this.#tokens.get(collection);
    if (known === undefined || known.sequenceNumber <= sequenceNumber) {
      this.#tokens.set(collection, { sequenceNumber, token });
    }
  }

  /** The token to send with a read; empty when nothing was written. */
  tokenOf(collection: string): string {
    return this.#tokens.get(collection)?.token ?? '';
  }

  /** The collection is gone: a new one of the same name has another history. */
  forget(collection: string): void {
    this.#tokens.delete(collection);
  }
}
