// The transports on free ports over any handlers, with credentials for any tenant: for tests of the edge.
import { PrometheusMetrics } from '#server/adapters/prometheus/prometheus-metrics.js';
import { NO_TRACER } from '#server/adapters/memory/no-tracer.js';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { SystemClock } from '#server/adapters/system/clock.js';
import { SystemRng } from '#server/adapters/system/rng.js';
import { SystemScheduler } from '#server/adapters/system/scheduler.js';
import type { Handlers } from '#server/app/api.js';
import { ApiKeys } from '#server/app/keys.js';
import { LIMITS } from '#server/core/limits.js';
import type { Logger } from '#server/ports/logger.js';
import type { Tracer } from '#server/ports/tracer.js';
import { Authenticator, sha256 } from '#server/transport/auth/authenticator.js';
import { signToken } from '#server/transport/auth/jwt.js';
import type { RunningServer } from '#server/transport/server.js';
import { startServer } from '#server/transport/server.js';
import type { LoggedLine } from './recorded-log.js';
import { loggerInto } from './recorded-log.js';

export interface EdgeServerOptions {
  readonly tracer?: Tracer;
  /** Absent: lines are kept in `log`. */
  readonly logger?: Logger;
  readonly maxInFlight?: number;
  readonly requestTimeoutMs?: number;
  readonly receiveTimeoutMs?: number;
  readonly jsonBodyBytes?: number;
  readonly protobufBodyBytes?: number;
  readonly grpcReflection?: boolean;
  readonly heldBytesMax?: number;
  readonly countTenants?: boolean;
}

export interface TokenOptions {
  readonly tenant?: string;
  readonly scopes?: readonly string[];
  readonly collections?: readonly string[];
}

export interface EdgeServer {
  readonly server: RunningServer;
  readonly keys: ApiKeys;
  readonly url: string;
  readonly grpcAddress: string;
  readonly opsUrl: string;
  readonly log: readonly LoggedLine[];
  token(options?: TokenOptions): Promise<string>;
  stop(drainMs?: number): Promise<boolean>;
}

const SECRET = new TextEncoder().encode('the secret of servers under test, long');

export async function startEdgeServer(
  handlers: Handlers,
  options: EdgeServerOptions = {},
): Promise<EdgeServer> {
  const [clock, rng, scheduler] = [new SystemClock(), new SystemRng(), new SystemScheduler()];
  const log: LoggedLine[] = [];
  const keys = new ApiKeys({ store: new MemoryObjectStore(), clock, rng, digest: sha256 });
  const jsonBodyBytes = options.jsonBodyBytes ?? LIMITS.jsonBodyBytesMax;
  const protobufBodyBytes = options.protobufBodyBytes ?? LIMITS.protobufBodyBytesMax;
  const logger = options.logger ?? loggerInto(log);
  const metrics = new PrometheusMetrics({ clock, logger });
  const server = await startServer(
    {
      ...{ handlers, clock, rng, logger, version: '0.0.0-test', metrics },
      tracer: options.tracer ?? NO_TRACER,
      authenticator: new Authenticator(() => [SECRET], keys, clock),
      facts: {
        ...{ startedAtMs: clock.now(), dimensionsDefault: 128 },
        ...{ jsonBodyBytesMax: jsonBodyBytes, protobufBodyBytesMax: protobufBodyBytes },
      },
      maxInFlight: options.maxInFlight ?? 1000,
      countTenants: options.countTenants ?? false,
      requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
      ...(options.heldBytesMax === undefined ? {} : { heldBytesMax: options.heldBytesMax }),
    },
    {
      ...{ host: '127.0.0.1', httpPort: 0, grpcPort: 0, opsPort: 0, jsonBodyBytes, protobufBodyBytes },
      ...{ keepAliveMs: 60_000, receiveTimeoutMs: options.receiveTimeoutMs ?? 30_000 },
      exposition: metrics,
      ...{ grpcConnectionAgeMs: 600_000, grpcReflection: options.grpcReflection ?? false },
    },
  );
  const { http, grpc, ops } = server.ports;
  return {
    ...{ server, keys, log },
    url: `http://127.0.0.1:${http}`,
    grpcAddress: `127.0.0.1:${grpc}`,
    opsUrl: `http://127.0.0.1:${ops}`,
    token: ({ tenant = 'acme', scopes = ['*'], collections } = {}) => {
      const request = { tenant, subject: 'test', scopes, lifeMs: 3_600_000 };
      return signToken(SECRET, collections === undefined ? request : { ...request, collections }, {
        clock,
        rng,
      });
    },
    stop: async (drainMs = 5000) => {
      const finished = await server.stop({ drainMs, delayMs: 0 }, scheduler);
      await server.close();
      return finished;
    },
  };
}
