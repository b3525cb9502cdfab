// What the live suite runs: a shop with its traffic, servers to break, Prometheus, Alertmanager, the webhook
// that stands for pagers and tickets, and a collector of traces. Everything listens on loopback, on ports of
// its own.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOtlpReceiver } from '../support/otlp-receiver.js';
import type { OtlpReceiver } from '../support/otlp-receiver.js';
import { startAlertmanager } from './alertmanager.js';
import { ROOT } from './boards.js';
import type { Victims, Watchers } from './fault.js';
import { startDisk } from './fault-disk.js';
import { startKilled } from './fault-killed.js';
import { startSlow } from './fault-slow.js';
import { reservePorts } from './ports.js';
import { startPrometheus } from './prometheus.js';
import { quickRules } from './rules.js';
import { openShop, targetOf } from './shop.js';
import type { Shop } from './shop.js';
import { listenForNotices } from './webhook.js';

const FAULTS = {
  killed: startKilled,
  disk: startDisk,
  pool: (folder: string) => startSlow(folder, 'pool'),
  slow: (folder: string) => startSlow(folder, 'slow'),
} as const;

export type Fault = keyof typeof FAULTS;

export interface World extends Watchers {
  readonly folder: string;
  readonly shop: Shop;
  readonly victims: Readonly<Record<Fault, Victims>>;
  readonly collector: OtlpReceiver;
  /** Ends everything that was started, the last one first. */
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  // What runs beside the tests ends with their process, and a signal must not be an exception to that.
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { ...(await open(closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(closers: (() => Promise<unknown>)[]): Promise<Omit<World, 'close'>> {
  const folder = await mkdtemp(join(tmpdir(), 'omendb-live-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const webhook = await listenForNotices();
  closers.push(() => webhook.close());
  const collector = await startOtlpReceiver();
  closers.push(() => collector.close());
  const routes = await readFile(join(ROOT, 'alerts/alertmanager.yml'), 'utf8');
  const alertmanager = await startAlertmanager(join(folder, 'alertmanager'), routes, webhook.urlOf);
  closers.push(() => alertmanager.stop());

  const victims: Partial<Record<Fault, Victims>> = {};
  for (const name of Object.keys(FAULTS) as Fault[]) {
    const started = await FAULTS[name](folder);
    victims[name] = started;
    closers.push(() => started.stop());
  }
  const ports = await reservePorts();
  const all = victims as Record<Fault, Victims>;
  const prometheus = await startPrometheus({
    folder: join(folder, 'prometheus'),
    targets: [targetOf(ports, 'shop', 'omendb-0'), ...Object.values(all).flatMap(({ targets }) => targets)],
    rules: quickRules(),
    alertmanager: alertmanager.address,
  });
  closers.push(() => prometheus.stop());
  const shop = await openShop({
    folder: join(folder, 'shop'),
    ports,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_TRACES_SAMPLER_ARG: '1' },
  });
  closers.push(() => shop.stop());
  return { folder, shop, victims: all, prometheus, alertmanager, webhook, collector };
}
