/*
 * The server, put together: every adapter is made here and handed to what needs it, and all of it is taken
 * apart again in the reverse order.
 */
import { NO_METRICS } from '../adapters/memory/no-metrics.js';
import { PrometheusMetrics } from '../adapters/prometheus/prometheus-metrics.js';
import { SystemClock } from '../adapters/system/clock.js';
import { SystemRng } from '../adapters/system/rng.js';
import { SystemScheduler } from '../adapters/system/scheduler.js';
import { loadKernels } from '../adapters/wasm/kernel-binary.js';
import { WorkerPool } from '../adapters/worker-pool/worker-pool.js';
import type { App } from '../app/app.js';
import { openApp } from '../app/app.js';
import type { AppDependencies } from '../app/dependencies.js';
import { ApiKeys } from '../app/keys.js';
import type { Config } from '../config/load.js';
import type { SigningKeys } from '../config/option-types.js';
import { OmenError } from '../core/errors.js';
import { Arena } from '../core/memory/arena.js';
import type { Logger } from '../ports/logger.js';
import type { Counter, Metrics } from '../ports/metrics.js';
import type { ObjectStore } from '../ports/object-store.js';
import type { Tracer } from '../ports/tracer.js';
import { Authenticator, sha256 } from '../transport/auth/authenticator.js';
import { ALL_SCOPES } from '../transport/auth/identity.js';
import { TOKEN_LIFE_MS_MAX, signToken } from '../transport/auth/jwt.js';
import type { Exposition } from '../transport/ops/server.js';
import type { RunningServer } from '../transport/server.js';
import { ListenError, startServer } from '../transport/server.js';
import { renderBanner } from './banner.js';
import type { LiveSettings } from './live-settings.js';
import { openBlockCache } from './open-block-cache.js';
import { measureProcess } from './process-metrics.js';
import { developmentSecret, followSecretFile } from './signing-secret.js';
import { openStore } from './store.js';
import { openTracing } from './tracing.js';
import { UserError } from './user-error.js';

/** Tenant of the token that development mode prints. */
const DEVELOPMENT_TENANT = 'dev';

export interface ServeOptions {
  readonly config: Config;
  /** Of these settings, the ones that may change. */
  readonly settings: LiveSettings;
  readonly logger: Logger;
  readonly version: string;
  /** Where the banner goes. */
  readonly print: (text: string) => void;
  /** Aborts when the server is no longer wanted: a start that is under way is given up. */
  readonly signal: AbortSignal;
}

/** A server that answers. */
export interface Serving {
  /** Finishes what is in work, writes what is to be written, releases everything. Call once. */
  stop(): Promise<void>;
}

const clock = new SystemClock();
const rng = new SystemRng();
const scheduler = new SystemScheduler();

/** How the parts of a server are taken apart, in the order in which they were put together. */
type Undo = (() => Promise<void>)[];

/**
 * Starts the server; null when it was asked to stop before. Throws `UserError` for what the user can put
 * right.
 */
export async function serve(options: ServeOptions): Promise<Serving | null> {
  const { signal, logger } = options;
  const undo: Undo = [];
  const givenUp = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
  const started = await Promise.race([start(options, undo), givenUp]);
  if (started !== undefined) return started;
  await undoAll(undo, logger);
  return null;
}

async function start(
  { config, settings, logger, version, print }: ServeOptions,
  undo: Undo,
): Promise<Serving> {
  const registry = config.metrics ? new PrometheusMetrics({ clock, logger }) : null;
  const metrics = registry ?? NO_METRICS;
  try {
    const tracing = await openTracing(config, { clock, scheduler, rng, logger, version });
    undo.push(() => tracing.close());
    const store = await openStore(config.objectStore, config, { clock, scheduler, rng, logger, metrics });
    undo.push(() => store.close());
    const blockCache = await openBlockCache(config, { clock, scheduler, rng, logger });
    undo.push(() => blockCache.close());
    const authenticator = authentication(config, store, { logger, metrics, undo });
    const pool = await startPool(config, settings, { logger, metrics });
    undo.push(() => pool.close());
    const app = await openApplication({
      ...{
        store,
        pool,
        clock,
        rng,
        scheduler,
        logger,
        metrics,
        version,
        blockCache,
        objectStore: config.objectStore.kind,
      },
      ...{
        defaultDimensions: config.dimension,
        foldSlots: config.foldSlots,
        retentionMs: config.retentionMs,
        stalenessMs: config.stalenessMs,
        recallSample: config.recallSample,
        countTenants: config.countTenants,
        serverName: config.podName,
        backupMarkMs: config.backupMarkMs,
      },
      // The folder's lock keeps other servers out; a bucket is anybody's.
      ownsStore: config.objectStore.kind === 'file',
    });
    undo.push(() => app.close());
    const server = await listen(config, settings, {
      ...{ app, authenticator: authenticator.authenticator, logger, version, metrics },
      tracer: tracing.tracer,
      exposition: registry ?? undefined,
      pool,
    });
    const storeFolder = config.objectStore.kind === 'file' ? config.objectStore.folder : null;
    measureProcess(metrics, { pool, server, version, storeFolder });
    undo.push(() => drain(server, settings, logger));
    // The probes and metrics tell until the end what is still going on.
    undo.unshift(() => server.close());
    const unfollow = settings.follow({ scheduler, logger });
    undo.push(async () => {
      unfollow();
    });
    await announce(config, { server, signingKey: authenticator.signingKeys()[0], logger, version, print });
  } catch (error) {
    await undoAll(undo, logger);
    throw error;
  }
  return { stop: () => undoAll(undo, logger) };
}

/** A store that cannot be used is for the user to put right. */
async function openApplication(deps: AppDependencies): Promise<App> {
  try {
    return await openApp(deps);
  } catch (error) {
    if (error instanceof OmenError) throw new UserError(error.message, { cause: error });
    throw error;
  }
}

interface Authentication {
  readonly authenticator: Authenticator;
  /** What tokens may be signed with, the one to sign with first. */
  readonly signingKeys: () => SigningKeys;
}

function authentication(
  config: Config,
  store: ObjectStore,
  { logger, metrics, undo }: { readonly logger: Logger; readonly metrics: Metrics; readonly undo: Undo },
): Authentication {
  let current: SigningKeys = config.jwtSecret ?? [makeDevelopmentSecret(config)];
  const signingKeys = (): SigningKeys => current;
  const keys = new ApiKeys({ store, clock, rng, digest: sha256 });
  const counter = (outcome: 'hit' | 'miss'): Counter =>
    metrics.counter('omendb_cache_requests_total', { cache: 'credential', outcome });
  const counters = { hit: counter('hit'), miss: counter('miss') };
  const authenticator = new Authenticator(signingKeys, keys, clock, counters);
  if (config.jwtSecretFile !== null) {
    const stop = followSecretFile(config.jwtSecretFile, { scheduler, logger }, (next) => {
      current = next;
      authenticator.reset();
    });
    undo.push(async () => {
      stop();
    });
  }
  return { authenticator, signingKeys };
}

function makeDevelopmentSecret({ devSecretFile }: Config): Uint8Array {
  try {
    return developmentSecret(devSecretFile, rng);
  } catch (error) {
    const why = (error as Error).message;
    throw new UserError(`OMENDB_DATA_DIR: the development secret cannot be made: ${why}`, { cause: error });
  }
}

async function startPool(
  config: Config,
  settings: LiveSettings,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): Promise<WorkerPool> {
  const { memoryBytes, memoryBytesAdvised } = config;
  if (memoryBytes > memoryBytesAdvised) {
    const text =
      'engines may fill the memory until the system ends the server: lower OMENDB_MEMORY_BYTES, or give more';
    logger.warn(text, { memoryBytes, memoryBytesAdvised });
  }
  const { module, variant } = loadKernels();
  return WorkerPool.start({
    ...{ arena: newArena(config.memoryBytes), module, kernels: variant, engines: config.workerThreads },
    ...{ clock, logger, metrics },
    get queueMax() {
      return settings.current.maxInFlight;
    },
  });
}

function newArena(bytes: number): Arena {
  try {
    return new Arena(bytes);
  } catch (error) {
    const message = `OMENDB_MEMORY_BYTES: the system does not reserve ${bytes} bytes: ${(error as Error).message}`;
    throw new UserError(message, { cause: error });
  }
}

async function listen(
  config: Config,
  settings: LiveSettings,
  parts: {
    readonly app: App;
    readonly authenticator: Authenticator;
    readonly logger: Logger;
    readonly version: string;
    readonly metrics: Metrics;
    readonly tracer: Tracer;
    readonly exposition: Exposition | undefined;
    readonly pool: WorkerPool;
  },
): Promise<RunningServer> {
  const { app, authenticator, logger, version, metrics, tracer, exposition, pool } = parts;
  const { requestTimeoutMs, countTenants, heldBytesMax } = config;
  const facts = {
    startedAtMs: clock.now(),
    dimensionsDefault: config.dimension,
    jsonBodyBytesMax: config.jsonBodyBytes,
    protobufBodyBytesMax: config.protobufBodyBytes,
  };
  const deps = { handlers: app.handlers, authenticator, clock, rng, logger, metrics, tracer, version, facts };
  try {
    const server = {
      ...{ ...deps, requestTimeoutMs, countTenants, heldBytesMax },
      get maxInFlight() {
        return settings.current.maxInFlight;
      },
    };
    return await startServer(server, { ...config, exposition, alive: () => pool.alive });
  } catch (error) {
    if (error instanceof ListenError)
      throw new UserError(explainListenError(error, config.host), { cause: error });
    throw error;
  }
}

function explainListenError({ listener, port, cause }: ListenError, host: string): string {
  const option = `OMENDB_${listener.toUpperCase()}_PORT`;
  // grpc-js puts the system's error into its text.
  const about = `${cause.code ?? ''} ${cause.message}`;
  if (about.includes('EADDRINUSE')) {
    return `${option}: port ${port} on ${host} is in use by another program: stop it, or set ${option} to another port`;
  }
  if (about.includes('EACCES'))
    return `${option}: port ${port} needs privileges: set ${option} to 1024 or more`;
  if (/EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN|EINVAL/.test(about)) {
    return `OMENDB_HOST: ${host} is not an address of this machine: ${cause.message}`;
  }
  return `${option}: cannot listen on port ${port} of ${host}: ${cause.message}`;
}

async function announce(
  config: Config,
  parts: {
    readonly server: RunningServer;
    readonly signingKey: Uint8Array;
    readonly logger: Logger;
    readonly version: string;
    readonly print: (text: string) => void;
  },
): Promise<void> {
  const { server, signingKey, logger, version, print } = parts;
  const { host, dataDir } = config;
  const { ports } = server;
  logger.info('the server is ready', { version, host, ports, dataDir, engines: config.workerThreads });
  if (config.jwtSecret !== null) return;
  const tenant = DEVELOPMENT_TENANT;
  const request = { tenant, subject: 'development', scopes: [ALL_SCOPES], lifeMs: TOKEN_LIFE_MS_MAX };
  const token = await signToken(signingKey, request, { clock, rng });
  print(renderBanner({ version, host, ports, dataDir, token, tenant }));
}

async function drain(server: RunningServer, settings: LiveSettings, logger: Logger): Promise<void> {
  const { drainMs, drainDelayMs: delayMs } = settings.current;
  const finished = await server.stop({ drainMs, delayMs }, scheduler);
  if (!finished) logger.warn('requests were still in work when the time to drain was over', { drainMs });
}

/** In reverse order; what fails does not keep the rest from being released. */
async function undoAll(undo: Undo, logger: Logger): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      logger.error('a part of the server could not be closed', { error });
    }
  }
}
