/*
 * Probes, on a port of their own: they must answer while the APIs are busy, and nobody outside needs them.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Listener } from '../listener.js';

export interface OpsOptions {
  readonly host: string;
  readonly port: number;
}

/** What the probes tell. */
export interface Probes {
  /** The server has started: it stays true. */
  readonly started: boolean;
  /** New requests are welcome. */
  readonly ready: boolean;
}

/** Begins to listen. Rejects with the system's error. */
export async function listenOps(probes: Probes, { host, port }: OpsOptions): Promise<Listener> {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 30_000 });
  server.on('request', (request, response) => {
    const verdict = probe(probes, (request.url ?? '').split('?')[0] ?? '');
    const status = verdict === undefined ? 404 : verdict ? 200 : 503;
    const words = { 200: 'ok', 404: 'there are /livez, /readyz and /startupz', 503: 'not yet or no longer' };
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${words[status]}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeIdleConnections();
      }),
    closeNow: () => {
      server.closeAllConnections();
    },
  };
}

/** Undefined: there is no such probe. A process that answers is alive. */
function probe({ started, ready }: Probes, path: string): boolean | undefined {
  return { '/livez': true, '/startupz': started, '/readyz': ready }[path];
}
