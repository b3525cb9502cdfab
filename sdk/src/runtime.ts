/* The real clock, timers and randomness. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Runtime } from './options.js';

/** The process's own time and randomness. */
export const SYSTEM_RUNTIME: Runtime = {
  now: () => performance.now(),
  wallClockMs: () => Date.now(),
  random: () => Math.random(),
  uniqueId: () => randomUUID(),
  delay: async (ms, signal) => {
    await sleep(ms, undefined, signal === undefined ? undefined : { signal });
  },
};
