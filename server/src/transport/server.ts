/*
 * The three listeners as one server: they start together and stop together, in the order in which clients
 * notice nothing of it.
 */
import type { Scheduler } from '../ports/scheduler.js';
import type { EdgeDependencies } from './edge.js';
import { Edge } from './edge.js';
import type { GrpcOptions } from './grpc/server.js';
import { listenGrpc } from './grpc/server.js';
import type { HttpOptions } from './http/server.js';
import { listenHttp } from './http/server.js';
import type { Listener } from './listener.js';
import type { Exposition } from './ops/server.js';
import { listenOps } from './ops/server.js';

export type ServerOptions = Omit<HttpOptions & GrpcOptions, 'port'> & {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly opsPort: number;
  /** What `/metrics` answers; absent: there is no such page. */
  readonly exposition?: Exposition | undefined;
  /** False when only a restart can help; never unless given. */
  readonly alive?: () => boolean;
};

export interface RunningServer {
  readonly ports: { readonly http: number; readonly grpc: number; readonly ops: number };
  /** Requests in work. */
  readonly inFlight: number;
  /** New requests are welcome. */
  readonly ready: boolean;
  /**
   * Says that it is going, to probes and to clients at their next answer, and goes on taking requests for
   * `delayMs`; then lets nobody in any more, and ends what is still in work when `drainMs` are over. Returns
   * whether all could finish. The probes and metrics answer until `close`.
   */
  stop(time: DrainTime, scheduler: Scheduler): Promise<boolean>;
  /**
   * Ends the probes and metrics. To be called after `stop`, when nothing is left that could be asked about.
   */
  close(): Promise<void>;
}

/** Times of a stop, in milliseconds. */
export interface DrainTime {
  /** For the whole stop. */
  readonly drainMs: number;
  /** The part of it in which new connections are still welcome: balancers learn late that a server goes. */
  readonly delayMs: number;
}

/** A port that cannot be listened on. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(
    readonly listener: 'http' | 'grpc' | 'ops',
    readonly port: number,
    override readonly cause: Error & { readonly code?: string },
  ) {
    super(cause.message);
  }
}

/** Starts all listeners or none. Throws `ListenError`. */
export async function startServer(deps: EdgeDependencies, options: ServerOptions): Promise<RunningServer> {
  const edge = new Edge(deps);
  const probes = {
    started: true,
    get alive() {
      return options.alive?.() ?? true;
    },
    get ready() {
      return !edge.draining;
    },
  };
  const open: Listener[] = [];
  const listen = async <L extends Listener>(
    name: ListenError['listener'],
    port: number,
    begin: () => Promise<L>,
  ): Promise<L> => {
    try {
      const listener = await begin();
      open.push(listener);
      return listener;
    } catch (error) {
      for (const listener of open) {
        listener.closeNow();
        await listener.close();
      }
      throw new ListenError(name, port, error as Error);
    }
  };
  const { host, httpPort, grpcPort, opsPort, exposition } = options;
  const http = await listen('http', httpPort, () => listenHttp(edge, { ...options, port: httpPort }));
  const grpc = await listen('grpc', grpcPort, () => listenGrpc(edge, { ...options, port: grpcPort }));
  // Last, so that a probe which answers means that the APIs do.
  const ops = await listen('ops', opsPort, () => listenOps(probes, { host, port: opsPort, exposition }));

  return {
    ports: { http: http.port, grpc: grpc.port, ops: ops.port },
    get inFlight() {
      return edge.inFlight;
    },
    get ready() {
      return probes.ready;
    },
    stop: async ({ drainMs, delayMs }, scheduler) => {
      edge.draining = true;
      grpc.drain();
      if (delayMs > 0) await scheduler.sleep(Math.min(delayMs, drainMs));
      const closed = Promise.all([http.close(), grpc.close()]);
      const finished = await Promise.race([
        Promise.all([closed, edge.idle()]).then(() => true),
        scheduler.sleep(Math.max(0, drainMs - delayMs)).then(() => false),
      ]);
      edge.close();
      http.closeNow();
      grpc.closeNow();
      return finished;
    },
    close: async () => {
      ops.closeNow();
      await ops.close();
    },
  };
}
