// The round trips of S3 in front of a server on loopback: every answer waits until a time has passed that is
// drawn from a lognormal distribution, and then comes as fast as one connection carries it. Counts what
// passes.
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SeededRng } from './seeded-rng.js';

/** Milliseconds from the request to the first byte of the answer. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export interface LatencyProxyOptions {
  readonly seed: number;
  /** Of requests that read. */
  readonly get?: Latency;
  /** Of all others. */
  readonly put?: Latency;
  /** What one connection carries, in both directions; as fast as it goes unless given. */
  readonly bytesPerSecond?: number;
}

export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly status: number;
  /** `performance.now()` when it arrived. */
  readonly startedMs: number;
  /** When the last byte so far of its answer passed. */
  readonly endedMs: number;
  /** Bytes so far of the answer's body. */
  readonly bytes: number;
}

export interface LatencyProxy {
  /** Where to send requests instead. */
  readonly endpoint: string;
  /** Those whose answer has begun so far; may be emptied. */
  readonly requests: ProxiedRequest[];
  stop(): Promise<void>;
}

/** What S3 takes in the region of the caller. */
export const S3_LATENCY = { get: { p50: 25, p99: 60 }, put: { p50: 100, p99: 200 } } as const;

/** z of 99 % in the normal distribution. */
const Z99 = 2.3263;
const READS = new Set(['GET', 'HEAD']);

export async function startLatencyProxy(target: string, options: LatencyProxyOptions): Promise<LatencyProxy> {
  const rng = new SeededRng(options.seed);
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const requests: ProxiedRequest[] = [];
  const bytesPerMs = (options.bytesPerSecond ?? Infinity) / 1000;
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url: path = '/' } = incoming;
    const latency = READS.has(method) ? (options.get ?? S3_LATENCY.get) : (options.put ?? S3_LATENCY.put);
    const startedMs = performance.now();
    const sendMs = Number(incoming.headers['content-length'] ?? 0) / bytesPerMs;
    const due = startedMs + draw(rng, latency) + sendMs;
    const { headers } = incoming;
    const onward = request({ hostname, port, method, path, headers, agent }, (answer) => {
      const status = answer.statusCode ?? 0;
      setTimeout(
        () => {
          const entry = { method, path, status, startedMs, endedMs: performance.now(), bytes: 0 };
          requests.push(entry);
          passOn(answer, outgoing, entry, bytesPerMs).catch(() => outgoing.destroy());
        },
        Math.max(0, due - performance.now()),
      );
    });
    onward.once('error', () => outgoing.destroy());
    outgoing.once('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}

/** Each piece goes on when the connection has carried all up to its end. */
async function passOn(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  entry: { bytes: number; endedMs: number },
  bytesPerMs: number,
): Promise<void> {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  const beganMs = performance.now();
  for await (const piece of answer as AsyncIterable<Buffer>) {
    entry.bytes += piece.length;
    const waitMs = beganMs + entry.bytes / bytesPerMs - performance.now();
    // Timers count whole milliseconds; what one rounds away, the next piece makes up for.
    if (waitMs >= 1) await new Promise((resolve) => void setTimeout(resolve, waitMs));
    entry.endedMs = performance.now();
    if (!outgoing.write(piece)) await once(outgoing, 'drain');
  }
  outgoing.end();
}

/** One latency: `p50` in the middle, a hundredth above `p99`. */
function draw(rng: SeededRng, { p50, p99 }: Latency): number {
  const sigma = Math.log(p99 / p50) / Z99;
  const uniform = (): number => (rng.uint32() + 1) / 2 ** 32;
  const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return p50 * Math.exp(sigma * normal);
}
