// What may be read of a record, given what was written to it and how the writes ended. One writer at a time
// writes a record, so its writes have an order; of a write whose outcome nobody knows, the record may show
// the effect or not.

/** One write of a record. */
interface Write {
  readonly deletes: boolean;
  acknowledged: boolean;
}

export class RecordHistory {
  readonly #writes: Write[] = [];
  #acknowledged = -1;

  /** Number of the write that begins now. */
  begin(deletes: boolean): number {
    return this.#writes.push({ deletes, acknowledged: false }) - 1;
  }

  acknowledge(write: number): void {
    const entry = this.#writes[write];
    if (entry !== undefined) entry.acknowledged = true;
    this.#acknowledged = Math.max(this.#acknowledged, write);
  }

  /** The newest acknowledged write; -1: none. A read that begins now must not show less. */
  get newest(): number {
    return this.#acknowledged;
  }

  /**
   * Whether a read may show `version` (the number of the write that made the record; null: no record), when
   * it began after write `since` was acknowledged and ends now.
   */
  allows(version: number | null, since: number): boolean {
    if (version !== null) return version >= since && this.#writes[version]?.deletes === false;
    if (since < 0) return true;
    return this.#writes.some((write, at) => at >= since && write.deletes);
  }

  /** What is known, for messages. */
  describe(): string {
    const last = this.#writes.map(
      ({ deletes, acknowledged }, at) => `${at}${deletes ? 'd' : ''}${acknowledged ? '' : '?'}`,
    );
    return last.slice(-12).join(' ');
  }
}
