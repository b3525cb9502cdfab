/**
 * Reading from a source that may be slow, may fail, and must not keep a load that has ended from saying so.
 */
import { abortedBy, errorFor } from '../errors.js';

/**
 * Returns `iterator.next` that also rejects when the signal fires, and whose failures are `SOURCE_FAILED`.
 * One rejection is kept at a time: racing every record with one promise that lives as long as the load would
 * keep all of them in memory.
 */
export function nextUnless<T>(
  iterator: AsyncIterator<T>,
  signal: AbortSignal,
): () => Promise<IteratorResult<T>> {
  let rejectCurrent: ((error: Error) => void) | undefined;
  signal.addEventListener('abort', () => rejectCurrent?.(abortedBy(signal)), { once: true });
  return () =>
    new Promise((resolve, reject) => {
      rejectCurrent = reject;
      if (signal.aborted) reject(abortedBy(signal));
      iterator.next().then(resolve, (error: unknown) => reject(sourceFailed(error)));
    });
}

/** Tells a source that nothing more is read. Not waited for: a source that is stuck would never answer. */
export function closeSource(iterator: AsyncIterator<unknown>): void {
  void Promise.resolve(iterator.return?.()).catch(() => undefined);
}

/** The source threw. */
export function sourceFailed(cause: unknown): Error {
  const text = `the source failed: ${cause instanceof Error ? cause.message : String(cause)}`;
  return errorFor('CANCELLED', 'SOURCE_FAILED', text, { cause });
}

/** The same records; what the source throws becomes `SOURCE_FAILED`. */
export function guarded<T>(source: Iterable<T>): Iterable<T> {
  // Arrays do not throw, and a generator between would cost more than reading them.
  return Array.isArray(source) ? source : guardedRecords(source);
}

function* guardedRecords<T>(source: Iterable<T>): Generator<T, void, undefined> {
  const iterator = source[Symbol.iterator]();
  try {
    for (;;) {
      let result: IteratorResult<T>;
      try {
        result = iterator.next();
      } catch (error) {
        throw sourceFailed(error);
      }
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    iterator.return?.();
  }
}
