// What a Service of Kubernetes does: new connections go in turns to the backends that are ready, connections
// that exist stay where they are. That a backend is no longer ready is known late, as in a cluster, where
// the word has to reach every node.
import { get } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface Backend {
  /** Where connections go. */
  readonly port: number;
  /** Where `/readyz` is. */
  readonly opsPort: number;
}

export interface BalancerOptions {
  /** How long a backend that is no longer ready still gets new connections. */
  readonly lagMs: number;
}

const LOOK_MS = 25;

export class ServiceBalancer {
  /** Connections so far. */
  accepted = 0;
  readonly #ready = new Set<Backend>();
  readonly #connections = new Set<Socket>();
  readonly #server: Server;
  readonly #watch: NodeJS.Timeout;
  readonly #waiting = new Set<() => void>();
  #turn = 0;

  /** Listens, and begins to look at the backends. */
  static async start(backends: readonly Backend[], options: BalancerOptions): Promise<ServiceBalancer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ServiceBalancer(server, backends, options);
  }

  private constructor(
    server: Server,
    private readonly backends: readonly Backend[],
    private readonly options: BalancerOptions,
  ) {
    this.#server = server;
    server.on('connection', (client) => {
      this.#join(client);
    });
    this.#watch = setInterval(() => {
      for (const backend of backends) void this.#look(backend);
    }, LOOK_MS);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when exactly `count` backends get new connections. */
  async untilReady(count: number): Promise<void> {
    while (this.#ready.size !== count) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch);
    for (const socket of this.#connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #look(backend: Backend): Promise<void> {
    const ready = await isReady(backend.opsPort);
    if (ready === this.#ready.has(backend)) return;
    if (ready) {
      this.#ready.add(backend);
      this.#tell();
      return;
    }
    setTimeout(() => {
      this.#ready.delete(backend);
      this.#tell();
    }, this.options.lagMs);
  }

  #tell(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #join(client: Socket): void {
    this.accepted++;
    const ready = this.backends.filter((backend) => this.#ready.has(backend));
    const backend = ready[this.#turn++ % Math.max(1, ready.length)];
    if (backend === undefined) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: backend.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#connections.add(from);
      from.pipe(to);
      from.once('error', () => to.resetAndDestroy());
      from.once('close', () => this.#connections.delete(from));
    }
  }
}

function isReady(opsPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port: opsPort, path: '/readyz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => {
      resolve(false);
    });
  });
}
