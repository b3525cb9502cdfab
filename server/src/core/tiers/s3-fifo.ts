/*
 * What stays in a cache of limited bytes.
 *
 * Method: S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP
 * 2023), counted in bytes. New keys enter a small queue of a tenth of the room; those that are touched there
 * go on to the main queue, the others leave and only their name is remembered for a while, in the ghost
 * queue. A key that comes back while its name is remembered enters the main queue at once. The main queue
 * gives a key that was touched another round. So a scan passes through the small queue and throws out nothing
 * that is in use, and a hit changes one counter and no order.
 *
 * Invariant: `bytes` is the sum over the keys that are in, and never above `capacityBytes`.
 */
import { GhostNames } from './ghost-names.js';

/** What an `insert` did. */
export interface Inserted<K> {
  /** False when the key is larger than the whole room: then nothing changed. */
  readonly admitted: boolean;
  /** Keys that left to make room, in that order. */
  readonly evicted: readonly K[];
}

/** The room and how it is divided. */
export interface S3FifoOptions {
  readonly capacityBytes: number;
  /** Share of the small queue, 0 to 1; a tenth unless given. */
  readonly smallShare?: number;
}

interface Node<K> {
  readonly key: K;
  readonly bytes: number;
  /** Touches since it entered the queue that it is in, at most 3. */
  touches: number;
  main: boolean;
  newer: Node<K> | null;
  older: Node<K> | null;
}

const TOUCHES_MAX = 3;
/** Touches in the small queue that show that a key is no passer-by. */
const PROMOTION_TOUCHES = 1;

/** Decides what is kept; the values are the caller's. Keys are compared as those of a Map. */
export class S3Fifo<K> {
  readonly capacityBytes: number;
  readonly #nodes = new Map<K, Node<K>>();
  readonly #small = new Queue<K>();
  readonly #main = new Queue<K>();
  readonly #ghosts = new GhostNames<K>();
  readonly #smallBytes: number;

  constructor({ capacityBytes, smallShare = 0.1 }: S3FifoOptions) {
    this.capacityBytes = capacityBytes;
    this.#smallBytes = Math.floor(capacityBytes * smallShare);
  }

  /** Bytes of all keys that are in. */
  get bytes(): number {
    return this.#small.bytes + this.#main.bytes;
  }

  /** Number of keys that are in. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Is the key in? Counts as no touch. */
  has(key: K): boolean {
    return this.#nodes.has(key);
  }

  /** Notes a use of the key; false when it is not in. */
  touch(key: K): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    node.touches = Math.min(TOUCHES_MAX, node.touches + 1);
    return true;
  }

  /** Lets a key in, and others out as far as its bytes need it. A key that is in is only touched. */
  insert(key: K, bytes: number): Inserted<K> {
    if (this.touch(key)) return { admitted: true, evicted: [] };
    if (bytes > this.capacityBytes) return { admitted: false, evicted: [] };
    const evicted: K[] = [];
    const known = this.#ghosts.take(key);
    while (this.bytes + bytes > this.capacityBytes) this.#evictOne(evicted);
    const node: Node<K> = { key, bytes, touches: 0, main: known, newer: null, older: null };
    this.#nodes.set(key, node);
    (known ? this.#main : this.#small).push(node);
    return { admitted: true, evicted };
  }

  /** Takes a key out without a trace; false when it was not in. */
  remove(key: K): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    (node.main ? this.#main : this.#small).unlink(node);
    this.#nodes.delete(key);
    return true;
  }

  /** The keys that are in, in no particular order. */
  keys(): IterableIterator<K> {
    return this.#nodes.keys();
  }

  #evictOne(evicted: K[]): void {
    const fromSmall = this.#small.bytes > this.#smallBytes || this.#main.oldest === null;
    const gone = fromSmall ? this.#passSmall() : this.#passMain();
    if (gone === null) return;
    this.#nodes.delete(gone.key);
    evicted.push(gone.key);
  }

  /** The oldest key of the small queue goes on to the main queue (null) or out. */
  #passSmall(): Node<K> | null {
    const node = this.#small.shift();
    if (node === null) return null;
    if (node.touches >= PROMOTION_TOUCHES) {
      node.main = true;
      node.touches = 0;
      this.#main.push(node);
      return null;
    }
    // As many bytes of names as the main queue has of keys.
    this.#ghosts.add(node.key, node.bytes, this.capacityBytes - this.#smallBytes);
    return node;
  }

  /** The first key of the main queue that was not touched since its last round. */
  #passMain(): Node<K> | null {
    for (let node = this.#main.shift(); node !== null; node = this.#main.shift()) {
      if (node.touches === 0) return node;
      node.touches--;
      this.#main.push(node);
    }
    return null;
  }
}

/** First in, first out, with removal from anywhere. */
class Queue<K> {
  bytes = 0;
  oldest: Node<K> | null = null;
  #newest: Node<K> | null = null;

  push(node: Node<K>): void {
    node.older = this.#newest;
    node.newer = null;
    if (this.#newest === null) this.oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
    this.bytes += node.bytes;
  }

  shift(): Node<K> | null {
    const node = this.oldest;
    if (node !== null) this.unlink(node);
    return node;
  }

  unlink(node: Node<K>): void {
    if (node.older === null) this.oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === null) this.#newest = node.older;
    else node.newer.older = node.older;
    this.bytes -= node.bytes;
  }
}
