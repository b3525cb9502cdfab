// A program of its own that fills a cache in a folder without end, until it is killed: FOLDER FIRST_KEY.
import { SystemClock } from '#server/adapters/system/clock.js';
import { SystemScheduler } from '#server/adapters/system/scheduler.js';
import { openSsdCache, pieceBytes, pieceKey } from './ssd-cache.js';

const [folder = '', first = '0'] = process.argv.slice(2);
const cache = openSsdCache(folder, {}, { clock: new SystemClock(), scheduler: new SystemScheduler() });
await cache.loaded;
for (let n = Number(first); ; n++) {
  cache.put(pieceKey(n), pieceBytes(pieceKey(n)), { admitAtOnce: true });
  await cache.get(pieceKey(Math.max(0, n - 200)));
  if (n % 16 !== 0) continue;
  await cache.settled();
  process.stdout.write(`${n}\n`);
}
