/**
 * Waits until all have ended, and only then throws the first failure: what goes on after a failure would use
 * what its caller has let go of.
 */
export async function allEnded<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const ended = await Promise.allSettled(promises);
  return ended.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
