// `npm run pictures`: draws every board as it looks after some minutes of real traffic, into docs/img.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Board } from '#preview/board.js';
import { startServer } from '../support/server-process.js';
import { pause } from './conditions.js';
import { startPrometheus } from './prometheus.js';
import { openArtist } from './render.js';
import { startTraffic } from './traffic.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const [target = join(ROOT, 'docs/img'), boards = join(ROOT, 'dashboards')] = process.argv.slice(2);
const SECONDS = Number(process.env['PICTURE_SECONDS'] ?? 150);

const folder = await mkdtemp(join(tmpdir(), 'omendb-pictures-'));
const server = await startServer({ dataDir: join(folder, 'data'), env: { OMENDB_FOLD_SLOTS: '64' } });
const prometheus = await startPrometheus({
  folder: join(folder, 'prometheus'),
  targets: [
    {
      address: `127.0.0.1:${server.ports.ops}`,
      labels: { job: 'omendb', namespace: 'shop', pod: 'omendb-0', instance: 'omendb-0' },
    },
  ],
});
const traffic = await startTraffic(server, { searchesPerSecond: (now) => 60 + 40 * Math.sin(now / 12) });
await pause(SECONDS * 1000);
const artist = await openArtist();
await mkdir(target, { recursive: true });
const end = Math.floor(Date.now() / 1000) - 1;
for (const name of (await readdir(boards)).filter((name) => name.endsWith('.json')).sort()) {
  if (name.startsWith('tsconfig')) continue;
  const board = JSON.parse(await readFile(join(boards, name), 'utf8')) as Board;
  const scene = {
    prometheus: prometheus.url,
    start: end - SECONDS + 10,
    end,
    step: 1,
    rateIntervalSeconds: 10,
    rangeSeconds: SECONDS,
  };
  const { png, panels } = await artist.draw(board, scene);
  await writeFile(join(target, `${board.uid}.png`), png);
  console.log(`${board.uid}.png  ${Math.round(png.length / 1024)} KiB, ${panels.length} panels`);
  for (const { title, problem, pixels, colours } of panels) {
    if (problem !== undefined || pixels < 50)
      console.log(`  ${title}: ${problem ?? 'empty'} ${pixels} ${colours}`);
  }
}
await artist.close();
await traffic.stop();
await prometheus.stop();
await server.stop();
await rm(folder, { recursive: true, force: true });
