// `npm run pictures`: draws every board as it looks after some minutes of real traffic, into docs/img.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOtlpReceiver } from '../support/otlp-receiver.js';
import { boards, ROOT, sceneOf } from './boards.js';
import { pause } from './conditions.js';
import { startPrometheus } from './prometheus.js';
import { openArtist } from './render.js';
import { shippedRules } from './rules.js';
import { openShop, targetOf } from './shop.js';
import { reservePorts } from './ports.js';

const [target = join(ROOT, 'docs/img'), seconds = '180'] = process.argv.slice(2);

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
const folder = await mkdtemp(join(tmpdir(), 'omendb-pictures-'));
const toStop: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
try {
  const collector = await startOtlpReceiver();
  toStop.unshift(() => collector.close());
  const ports = await reservePorts();
  const prometheus = await startPrometheus({
    folder: join(folder, 'prometheus'),
    targets: [targetOf(ports, 'shop', 'omendb-0')],
    rules: shippedRules(),
  });
  toStop.unshift(() => prometheus.stop());
  const shop = await openShop({
    folder: join(folder, 'shop'),
    ports,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_TRACES_SAMPLER_ARG: '0.02' },
    products: 20_000,
    searchesPerSecond: (now) => 60 + 35 * Math.sin(now / 14) + 10 * Math.sin(now / 3),
    isReportTime: (now) => now > Number(seconds) * 0.55 && now < Number(seconds) * 0.55 + 15,
  });
  toStop.unshift(() => shop.stop());
  process.stderr.write(`traffic for ${seconds} s …\n`);
  await pause(Number(seconds) * 1000);
  const artist = await openArtist();
  toStop.unshift(() => artist.close());
  await mkdir(target, { recursive: true });
  const scene = sceneOf(prometheus.url, Number(seconds) - 12);
  for (const board of boards()) {
    const { png, panels } = await artist.draw(board, scene);
    await writeFile(join(target, `${board.uid}.png`), png);
    const empty = panels.flatMap(({ title, problem }) =>
      problem === undefined ? [] : [`${title}: ${problem}`],
    );
    const lines = [`${board.uid}.png  ${Math.round(png.length / 1024)} KiB`, ...empty];
    process.stdout.write(`${lines.join('\n  ')}\n`);
  }
} finally {
  for (const stop of toStop) await stop();
}
