// Alertmanager with the repository's own routes, quick, and with every receiver replaced by a webhook.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { startProgram } from './programs.js';
import type { Program } from './programs.js';
import { reservePort } from './ports.js';

/** An alert as Alertmanager's API tells it, as far as tests read it. */
export interface HeldAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly receivers: readonly { readonly name: string }[];
  readonly status: {
    readonly state: 'active' | 'suppressed' | 'unprocessed';
    readonly inhibitedBy: readonly string[];
  };
}

export interface Alertmanager extends Program {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** Names of the receivers of the file that notify somebody. */
  readonly receivers: readonly string[];
  alerts(): Promise<readonly HeldAlert[]>;
}

interface Route {
  group_wait?: string;
  group_interval?: string;
  repeat_interval?: string;
  routes?: Route[];
}
interface Receiver {
  readonly name: string;
  readonly [kind: string]: unknown;
}
interface Settings {
  readonly route: Route;
  receivers: Receiver[];
  readonly [other: string]: unknown;
}

/**
 * @param file Text of alerts/alertmanager.yml.
 * @param urlOf Where the notifications for a receiver go.
 */
export async function startAlertmanager(
  folder: string,
  file: string,
  urlOf: (receiver: string) => string,
): Promise<Alertmanager> {
  await mkdir(folder, { recursive: true });
  const settings = parse(file) as Settings;
  // A receiver without any way to notify is meant to drop what it gets.
  const loud = settings.receivers.filter((receiver) => Object.keys(receiver).length > 1);
  const receivers = loud.map(({ name }) => name);
  settings.receivers = settings.receivers.map(({ name }) =>
    receivers.includes(name)
      ? { name, webhook_configs: [{ url: urlOf(name), send_resolved: true }] }
      : { name },
  );
  hurry(settings.route);
  const config = join(folder, 'alertmanager.yml');
  // Secrets and addresses of real services are not there and not needed.
  await writeFile(config, stringify({ ...settings, global: {} }));
  const address = `127.0.0.1:${await reservePort()}`;
  const program = await startProgram(
    'prometheus-alertmanager',
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
    ],
    `http://${address}/-/ready`,
  );
  return {
    ...program,
    address,
    receivers,
    async alerts() {
      const response = await fetch(`http://${address}/api/v2/alerts`);
      return (await response.json()) as HeldAlert[];
    },
  };
}

/** Routes keep who gets what; only the waiting is shortened. */
function hurry(route: Route): void {
  route.group_wait = '500ms';
  route.group_interval = '1s';
  route.repeat_interval = '1h';
  for (const child of route.routes ?? []) hurry(child);
}
