/*
 * Work on many things at once, within bounds. Bounds are shared by all that work for one command, so that a
 * command holds the same number of bytes however many collections it works on.
 */

/** Lets so much through at a time. Who comes first goes first. */
export class Gate {
  #items = 0;
  #bytes = 0;
  readonly #waiting: { readonly bytes: number; readonly open: () => void }[] = [];

  constructor(private readonly limits: { readonly items: number; readonly bytes: number }) {}

  /** Resolves when there is room. One thing alone may be larger than the bound. */
  async enter(bytes: number): Promise<void> {
    if (this.#waiting.length > 0 || !this.#hasRoom(bytes)) {
      await new Promise<void>((resolve) => this.#waiting.push({ bytes, open: resolve }));
      return;
    }
    this.#take(bytes);
  }

  leave(bytes: number): void {
    this.#items--;
    this.#bytes -= bytes;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#hasRoom(next.bytes)) return;
      this.#waiting.shift();
      this.#take(next.bytes);
      next.open();
    }
  }

  #hasRoom(bytes: number): boolean {
    const { limits } = this;
    return this.#items < limits.items && (this.#items === 0 || this.#bytes + bytes <= limits.bytes);
  }

  #take(bytes: number): void {
    this.#items++;
    this.#bytes += bytes;
  }
}

export interface Bounds<T> {
  readonly gate: Gate;
  readonly bytesOf: (item: T) => number;
  /** Ends the work: items under way are finished, then its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Objects under way at once: enough to hide round trips. */
const OBJECTS = { items: 16, bytes: 256 * 1024 * 1024 };
/** What an object whose size is not known is taken to have: slots end at about this size. */
const BYTES_UNKNOWN = 8 * 1024 * 1024;
/** Collections under way at once: small ones cost round trips and hardly any bytes. */
const COLLECTIONS = 8;

/** One per command: bounds the objects that are in memory. */
export function objectGate(): Gate {
  return new Gate(OBJECTS);
}

/** Bounds of work on objects, by their sizes. */
export function boundsOfObjects(
  gate: Gate,
  signal: AbortSignal | undefined,
): Bounds<{ readonly bytes?: number }> {
  return { gate, bytesOf: ({ bytes }) => bytes ?? BYTES_UNKNOWN, signal };
}

/** Bounds of work on collections. */
export function boundsOfCollections(signal: AbortSignal | undefined): Bounds<unknown> {
  return { gate: new Gate({ items: COLLECTIONS, bytes: Infinity }), bytesOf: () => 0, signal };
}

/** Runs `task` for every item, several at once. After a failure no further one is begun; it is thrown. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  { gate, bytesOf, signal }: Bounds<T>,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (const item of items) {
    const bytes = bytesOf(item);
    await gate.enter(bytes);
    if (failures.length > 0 || signal?.aborted === true) {
      gate.leave(bytes);
      break;
    }
    const run: Promise<void> = task(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        gate.leave(bytes);
        running.delete(run);
      });
    running.add(run);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}
