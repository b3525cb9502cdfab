// Time and chance of a client under test: waiting takes no time but is noted, and ids count up.
import type { Runtime } from '#sdk/index.js';

export interface FakeRuntime extends Runtime {
  /** The waits so far, milliseconds. */
  readonly waits: readonly number[];
  /** Moves the clock. */
  advance(ms: number): void;
}

/** `random` is what every draw gives. */
export function fakeRuntime(random = 0.5): FakeRuntime {
  const waits: number[] = [];
  let nowMs = 1_000_000;
  let ids = 0;
  return {
    waits,
    advance: (ms) => {
      nowMs += ms;
    },
    now: () => nowMs,
    wallClockMs: () => nowMs,
    random: () => random,
    uniqueId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    delay: async (ms, signal) => {
      signal?.throwIfAborted();
      waits.push(ms);
      nowMs += ms;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    },
  };
}
