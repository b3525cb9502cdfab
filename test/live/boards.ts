// The boards that are shipped, and how they are looked at here.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Board } from '#preview/board.js';
import type { Scene } from '#preview/frames.js';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export function boards(folder = join(ROOT, 'dashboards')): readonly Board[] {
  return readdirSync(folder)
    .filter((name) => /^omendb-[\w-]+\.json$/.test(name))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Board);
}

/** The last so many seconds, second by second; scrapes are a second apart. */
export function sceneOf(prometheus: string, seconds: number): Scene {
  const end = Math.floor(Date.now() / 1000) - 1;
  return { prometheus, start: end - seconds, end, step: 1, rateIntervalSeconds: 10, rangeSeconds: seconds };
}
