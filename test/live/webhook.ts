// What Alertmanager would page people through: an HTTP server that keeps every notification, told apart by
// the receiver it was sent to.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './conditions.js';
import type { Deadline } from './conditions.js';

type Labels = Readonly<Record<string, string>>;

/** One alert of one notification. */
export interface Notice {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  /** When it arrived, in milliseconds since 1970. */
  readonly atMs: number;
}

export interface Webhook {
  /** Where the notifications for a receiver go. */
  urlOf(receiver: string): string;
  /** All that have arrived, oldest first. */
  notices(): readonly Notice[];
  /** The first notice that has these labels and this status, waiting for it if need be. */
  arrival(
    status: Notice['status'],
    labels: Labels,
    deadline?: Deadline & { afterMs?: number },
  ): Promise<Notice>;
  close(): Promise<void>;
}

interface Payload {
  readonly alerts: readonly Pick<Notice, 'status' | 'labels' | 'annotations'>[];
}

export async function listenForNotices(): Promise<Webhook> {
  const notices: Notice[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const receiver = decodeURIComponent((request.url ?? '').slice(1));
      const { alerts } = JSON.parse(body) as Payload;
      for (const { status, labels, annotations } of alerts) {
        notices.push({ receiver, status, labels, annotations, atMs: Date.now() });
      }
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (receiver) => `http://127.0.0.1:${port}/${encodeURIComponent(receiver)}`,
    notices: () => notices,
    arrival: (status, labels, { afterMs = 0, ...deadline } = {}) =>
      eventually(
        `${JSON.stringify(labels)} arrives as ${status}`,
        () =>
          notices.find(
            (notice) => notice.status === status && notice.atMs >= afterMs && has(notice.labels, labels),
          ),
        deadline,
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function has(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
