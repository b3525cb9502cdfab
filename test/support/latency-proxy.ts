// The round trips of S3 in front of a server on loopback: every answer waits until a time has passed that is
// drawn from a lognormal distribution. Counts what passes.
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
}

export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly status: number;
}

export interface LatencyProxy {
  /** Where to send requests instead. */
  readonly endpoint: string;
  /** Those answered so far; may be emptied. */
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
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url: path = '/' } = incoming;
    const latency = READS.has(method) ? (options.get ?? S3_LATENCY.get) : (options.put ?? S3_LATENCY.put);
    const due = performance.now() + draw(rng, latency);
    const { headers } = incoming;
    const onward = request({ hostname, port, method, path, headers, agent }, (answer) => {
      const status = answer.statusCode ?? 0;
      setTimeout(
        () => {
          requests.push({ method, path, status });
          passOn(answer, outgoing);
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

function passOn(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.pipe(outgoing);
}

/** One latency: `p50` in the middle, a hundredth above `p99`. */
function draw(rng: SeededRng, { p50, p99 }: Latency): number {
  const sigma = Math.log(p99 / p50) / Z99;
  const uniform = (): number => (rng.uint32() + 1) / 2 ** 32;
  const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return p50 * Math.exp(sigma * normal);
}
