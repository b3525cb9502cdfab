/*
 * Names of keys that left a cache a short while ago, with the bytes that they had: who comes back is no
 * passer-by.
 *
 * Invariant: the bytes of the names that are kept are at most the last limit that was given.
 */

/** First in, first out. */
export class GhostNames<K> {
  /** In the order in which they came, beginning at `#first`; taken names stay until their turn. */
  #order: { readonly key: K; readonly bytes: number }[] = [];
  #first = 0;
  #bytes = 0;
  readonly #live = new Map<K, object>();

  /** Number of names that would be recognised. */
  get size(): number {
    return this.#live.size;
  }

  /** Remembers a key, and forgets the oldest ones beyond `bytesMax`. */
  add(key: K, bytes: number, bytesMax: number): void {
    const entry = { key, bytes };
    this.#live.set(key, entry);
    this.#order.push(entry);
    this.#bytes += bytes;
    while (this.#bytes > bytesMax && this.#first < this.#order.length) this.#dropOldest();
    if (this.#first > 1024 && this.#first * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#first);
      this.#first = 0;
    }
  }

  /** True when the key is remembered; then it no longer is. */
  take(key: K): boolean {
    return this.#live.delete(key);
  }

  #dropOldest(): void {
    const entry = this.#order[this.#first++];
    if (entry === undefined) return;
    this.#bytes -= entry.bytes;
    if (this.#live.get(entry.key) === entry) this.#live.delete(entry.key);
  }
}
