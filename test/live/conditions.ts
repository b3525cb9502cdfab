// Waiting for what other processes do: until a condition holds, and never longer than a deadline.

export interface Deadline {
  /** Default 60 000. */
  readonly withinMs?: number;
  /** Default 100. */
  readonly everyMs?: number;
}

/**
 * Asks `probe` again and again until it returns something. A probe that throws counts as "not yet"; its last
 * error is told when the deadline passes.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  { withinMs = 60_000, everyMs = 100 }: Deadline = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const why = last === undefined ? '' : `: ${(last as Error).message}`;
      throw new Error(`${what}: not within ${withinMs / 1000} s${why}`, { cause: last });
    }
    await pause(everyMs);
  }
}

/** For loops that make load at a rate: a test waits with `eventually`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
