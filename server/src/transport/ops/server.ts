/*
 * Probes and metrics, on a port of their own: they must answer while the APIs are busy, and nobody outside
 * needs them.
 */
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Listener } from '../listener.js';

export interface OpsOptions {
  readonly host: string;
  readonly port: number;
  /** What `/metrics` answers; absent: there is no such page. */
  readonly exposition?: Exposition | undefined;
}

/** Metrics as text. */
export interface Exposition {
  /** The media type of the text, always the same: who scrapes is not asked what it prefers. */
  readonly contentType: string;
  render(): Promise<string>;
}

/** What the probes tell. */
export interface Probes {
  /** The process can do its work, now or later; a process that does not even answer cannot. */
  readonly alive: boolean;
  /** The server has started: it stays true. */
  readonly started: boolean;
  /** New requests are welcome. */
  readonly ready: boolean;
}

const TEXT = 'text/plain; charset=utf-8';
const WORDS = {
  200: 'ok',
  404: 'there are /livez, /readyz, /startupz and /metrics',
  503: 'not yet or no longer',
};

/** Begins to listen. Rejects with the system's error. */
export async function listenOps(probes: Probes, { host, port, exposition }: OpsOptions): Promise<Listener> {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 30_000 });
  const page = exposition && { contentType: exposition.contentType, render: oneAtATime(exposition) };
  server.on('request', (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (path === '/metrics' && page !== undefined) {
      void answerMetrics(page, response);
      return;
    }
    const verdict = probe(probes, path);
    const status = verdict === undefined ? 404 : verdict ? 200 : 503;
    response.writeHead(status, { 'content-type': TEXT }).end(`${WORDS[status]}\n`);
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

/**
 * A page takes the main thread for milliseconds, so those who ask while one is put together share the next,
 * and thousands of requests at once cost as much as two. Nobody gets a page that is older than the question.
 */
function oneAtATime(exposition: Exposition): () => Promise<string> {
  let last: Promise<unknown> = Promise.resolve();
  let next: Promise<string> | null = null;
  const render = (): Promise<string> => {
    next = null;
    return exposition.render();
  };
  return () => {
    next ??= last.then(render, render);
    last = next;
    return next;
  };
}

async function answerMetrics(exposition: Exposition, response: ServerResponse): Promise<void> {
  try {
    const text = await exposition.render();
    response.writeHead(200, { 'content-type': exposition.contentType }).end(text);
  } catch {
    response.writeHead(500, { 'content-type': TEXT }).end('the metrics could not be put together\n');
  }
}

/** Undefined: there is no such probe. */
function probe({ alive, started, ready }: Probes, path: string): boolean | undefined {
  return { '/livez': alive, '/startupz': started, '/readyz': ready }[path];
}
