// The boards that are shipped, and how they are looked at here.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Board } from '#preview/board.js';
import type { Scene } from '#preview/frames.js';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * All boards. Subqueries that look at each full minute look at every fifth second instead, since here all is
 * over after a minute or two.
 */
export function boards(): readonly Board[] {
  const folder = join(ROOT, 'dashboards');
  return readdirSync(folder)
    .filter((name) => /^omendb-[\w-]+\.json$/.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').replace(/\[(\w+):1m\]/g, '[$1:5s]'))
    .map((text) => JSON.parse(text) as Board);
}

/** The last so many seconds, second by second; scrapes are a second apart. */
export function sceneOf(prometheus: string, seconds: number): Scene {
  const end = Math.floor(Date.now() / 1000) - 1;
  return { prometheus, start: end - seconds, end, step: 1, rateIntervalSeconds: 10, rangeSeconds: seconds };
}
