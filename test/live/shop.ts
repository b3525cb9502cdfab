// A server that has seen something of life before it is looked at: it was loaded, stopped and started again,
// so that it had to read its collections back; it is backed up; and traffic goes on.
import { join } from 'node:path';
import { omendb } from '../support/command.js';
import { startServer } from '../support/server-process.js';
import type { ServerPorts, ServerProcess } from '../support/server-process.js';
import type { Target } from './prometheus.js';
import { loadShop, startTraffic } from './traffic.js';
import type { Traffic, TrafficOptions } from './traffic.js';

/** Tenants beside the one that the shop belongs to. */
const GUESTS = ['acme', 'globex', 'initech', 'umbrella'];

export interface Shop {
  readonly server: ServerProcess;
  stop(): Promise<void>;
}

export interface ShopOptions extends Omit<TrafficOptions, 'guests'> {
  readonly folder: string;
  /** Known before, so that Prometheus can watch from the beginning. */
  readonly ports: ServerPorts;
  readonly env?: Readonly<Record<string, string>>;
}

export async function openShop({ folder, ports, env = {}, ...options }: ShopOptions): Promise<Shop> {
  const dataDir = join(folder, 'data');
  const settings = {
    OMENDB_FOLD_SLOTS: '64',
    OMENDB_METRICS_TENANTS: 'true',
    OMENDB_RECALL_SAMPLE: '1',
    OMENDB_BACKUP_MARK_INTERVAL: '1s',
    ...env,
  };
  const first = await startServer({ dataDir, ports, env: settings });
  const guests: string[] = [];
  try {
    for (const tenant of GUESTS) guests.push(await tokenFor(tenant, dataDir));
    await loadShop(first, { ...options, guests });
  } finally {
    await first.stop();
  }
  const server = await startServer({ dataDir, ports, env: settings });
  let traffic: Traffic;
  try {
    traffic = startTraffic(server, { ...options, guests });
    await backUp(dataDir, join(folder, 'copy'));
  } catch (error) {
    await server.kill();
    throw error;
  }
  return {
    server,
    async stop() {
      await traffic.stop();
      await server.stop();
    },
  };
}

/** How a server is scraped, as Prometheus in a cluster would label it. */
export function targetOf({ ops }: ServerPorts, namespace: string, pod: string): Target {
  return {
    address: `127.0.0.1:${ops}`,
    labels: { job: 'omendb', namespace, pod, instance: `${namespace}/${pod}` },
  };
}

/** Copies all collections of a server, with the command that people would use. */
export async function backUp(dataDir: string, target: string): Promise<void> {
  const { code, out, err } = await omendb(['backup', '--to', `file://${target}`], {
    OMENDB_DATA_DIR: dataDir,
  });
  if (code !== 0) throw new Error(`the backup ended with ${code}: ${out}${err}`);
}

async function tokenFor(tenant: string, dataDir: string): Promise<string> {
  const { code, out, err } = await omendb(['token', '--tenant', tenant], { OMENDB_DATA_DIR: dataDir });
  if (code !== 0) throw new Error(`no token for ${tenant}: ${err}`);
  return out.trim();
}
