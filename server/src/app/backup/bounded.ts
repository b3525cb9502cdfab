/** How much may be under way at once. */
export interface Bounds<T> {
  readonly items: number;
  /** Of all items under way; one item alone may be larger. */
  readonly bytes: number;
  readonly bytesOf: (item: T) => number;
  /** Ends the work: items under way are finished, then its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs `task` for every item, several at once. After a failure no further one is begun; it is thrown. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  { items: itemsMax, bytes: bytesMax, bytesOf, signal }: Bounds<T>,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let held = 0;
  for (const item of items) {
    const bytes = bytesOf(item);
    while (running.size >= itemsMax || (running.size > 0 && held + bytes > bytesMax)) {
      await Promise.race(running);
    }
    if (failures.length > 0 || signal?.aborted === true) break;
    held += bytes;
    const run: Promise<void> = task(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        held -= bytes;
        running.delete(run);
      });
    running.add(run);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}
