/*
 * The remembered answers of folded writes move from the log into objects. Writing all of them at every fold
 * would be megabytes each time; so each fold writes the new ones, together with the older objects that are at
 * most twice as large as what is written anyway. An answer is written O(log n) times, and there are O(log n)
 * objects (Bentley and Saxe, 1980).
 */
import { LIMITS } from '../../core/limits.js';
import type { RequestWindowRef } from '../../core/log/root.js';
import { encodeRequestWindow } from '../collections/request-window-codec.js';
import { RELATIVE } from '../log/object-layout.js';
import type { UpkeepDependencies } from './dependencies.js';
import { put } from './job.js';

/** Writes what was remembered since the last fold, up to a slot. Returns all objects there are then. */
export async function writeRequestWindow(
  deps: UpkeepDependencies,
  jobId: string,
  throughSlot: number,
): Promise<readonly RequestWindowRef[]> {
  const oldestMs = deps.clock.now() - LIMITS.idempotencyWindowMs;
  const present = deps.rootStore.current?.root.requestWindows ?? [];
  const kept = present.filter(({ newestMs }) => newestMs >= oldestMs);
  let entries = deps.window.between(kept.at(-1)?.throughSlot ?? 0, throughSlot);
  if (entries.length === 0) return kept;
  for (
    let last = kept.at(-1);
    last !== undefined && last.requests <= 2 * entries.length;
    last = kept.at(-1)
  ) {
    kept.pop();
    entries = deps.window.between(kept.at(-1)?.throughSlot ?? 0, throughSlot);
  }
  const key = RELATIVE.requests(jobId);
  await put(deps, key, encodeRequestWindow(entries));
  const newestMs = entries.reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0);
  return [...kept, { key, requests: entries.length, throughSlot, newestMs }];
}
