// What Alertmanager would page people through: an HTTP server that keeps every notification, told apart by
// the receiver it was sent to.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './conditions.js';

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
  /** The first notice since a moment that says that an alert with these labels fires. */
  firing(labels: Labels, sinceMs: number): Promise<Notice>;
  /** The last notice about an alert with these labels, once it says that the alert is over. */
  resolved(labels: Labels): Promise<Notice>;
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
  /** When nothing comes, what came instead is the first thing to know. */
  const wait = async (
    status: string,
    labels: Labels,
    find: (about: readonly Notice[]) => Notice | undefined,
  ): Promise<Notice> => {
    const about = (): readonly Notice[] => notices.filter((notice) => has(notice.labels, labels));
    try {
      return await eventually(`${JSON.stringify(labels)} arrives as ${status}`, () => find(about()));
    } catch (error) {
      const { namespace = '' } = labels;
      const others = notices.filter((notice) => notice.labels['namespace'] === namespace).map(inShort);
      throw new Error(`${(error as Error).message}; in ${namespace} came: ${others.join(', ')}`, {
        cause: error,
      });
    }
  };
  return {
    urlOf: (receiver) => `http://127.0.0.1:${port}/${encodeURIComponent(receiver)}`,
    notices: () => notices,
    firing: (labels, sinceMs) =>
      wait('firing', labels, (about) => about.find((one) => one.status === 'firing' && one.atMs >= sinceMs)),
    resolved: (labels) =>
      wait('resolved', labels, (about) => {
        const last = about.at(-1);
        return last?.status === 'resolved' ? last : undefined;
      }),
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

function inShort({ status, labels, atMs }: Notice): string {
  return `${new Date(atMs).toISOString().slice(14, 21)} ${labels['alertname'] ?? ''} ${status}`;
}
