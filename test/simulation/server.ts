/*
 * A server of a simulated world: the whole application on virtual time, behind a network and a store that
 * fail as the world decides. It can be frozen, killed and started again.
 */
import { MemoryBlockCache } from '#server/adapters/memory/memory-block-cache.js';
import { NO_BLOCK_CACHE } from '#server/adapters/memory/no-block-cache.js';
import { NO_METRICS } from '#server/adapters/memory/no-metrics.js';
import type { RequestContext } from '#server/app/api.js';
import type { App } from '#server/app/app.js';
import { openApp } from '#server/app/app.js';
import { OmenError } from '#server/core/errors.js';
import type { TenantId } from '#server/core/ids.js';
import type { BlockCache } from '#server/ports/block-cache.js';
import type { Logger } from '#server/ports/logger.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import type { Call, Fault } from '../support/failing-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { BorrowedPool } from './arenas.js';
import { borrowPool } from './arenas.js';
import type { Settings } from './settings.js';
import { Violation } from './linearizability.js';
import { ProcessTime } from './timeline.js';
import type { Timeline } from './timeline.js';

/** What a server needs of its world. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly bucket: ObjectStore;
  readonly settings: Settings;
  readonly note: (who: string, event: string) => void;
  readonly fail: (error: unknown) => void;
  /** The fault of a store call of this process. */
  readonly draw: (who: string, rng: SeededRng, call: Call) => Fault | null;
}

/** What a client gets to know of a call. */
export type Reply<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'error'; readonly error: OmenError }
  /** Nothing was there to take the request. */
  | { readonly kind: 'down' }
  | { readonly kind: 'timeout' };

/** Too small for all. */
const BLOCK_CACHE_BYTES = 32 * 1024;

/** How segments are kept. */
const TIERS = {
  whole: {},
  paged: { openWholeBytes: 0, promoteAfter: Infinity },
  moving: { openWholeBytes: 0, promoteAfter: 1 },
} as const;

/** Virtual time within which every call ends on a server that runs. */
const CALL_MS_MAX = 180_000;

/** A process with its own time and its own way to the bucket. */
export class SimProcess {
  readonly time: ProcessTime;
  readonly store: FailingObjectStore;
  readonly rng: SeededRng;

  constructor(
    readonly name: string,
    protected readonly world: Surroundings,
    seed: number,
  ) {
    this.rng = new SeededRng(seed);
    this.time = new ProcessTime(world.timeline);
    this.store = storeOf(this.name, world, this.time, new SeededRng(seed + 1));
  }

  get alive(): boolean {
    return !this.time.killed;
  }

  kill(): void {
    this.time.kill();
  }
}

/** One run of a server, from its start to its death. */
export class SimServer extends SimProcess {
  #app: App | null = null;
  readonly #pool: BorrowedPool = borrowPool();

  get app(): App | null {
    return this.#app;
  }

  async start(): Promise<void> {
    const { settings } = this.world;
    this.#app = await openApp({
      ...{ store: this.store, pool: this.#pool.pool, clock: this.time, scheduler: this.time, rng: this.rng },
      ...{
        logger: this.#logger(),
        metrics: NO_METRICS,
        blockCache: this.#blockCache(),
        version: '0.0.0-test',
        objectStore: 'memory',
      },
      ...{ defaultDimensions: 4 },
      ...{ ownsStore: settings.ownsStore, foldSlots: settings.foldSlots, retentionMs: settings.retentionMs },
      ...{ stalenessMs: settings.stalenessMs },
      ...{ flushRows: settings.flushRows, clusterFromRows: settings.clusterFromRows },
      ...TIERS[settings.segments],
    });
    this.world.note(this.name, 'is up');
  }

  #blockCache(): BlockCache {
    if (this.world.settings.segments !== 'moving') return NO_BLOCK_CACHE;
    const missBecause = () => (this.rng.chance(0.1) ? ('damaged' as const) : undefined);
    return new MemoryBlockCache({ capacityBytes: BLOCK_CACHE_BYTES, missBecause });
  }

  /** Now and then memory is needed for something else. */
  #squeeze(): void {
    const { segments } = this.world.settings;
    if (segments === 'moving' && this.rng.chance(0.2)) this.#pool.pool.arena.reclaim(2 ** 40);
  }

  /** Calls the server as a client does; resolves when the client has an answer or gives up. */
  call<T>(tenant: string, timeoutMs: number, run: (app: App, context: RequestContext) => Promise<T>) {
    const { timeline } = this.world;
    return new Promise<Reply<T>>((resolve) => {
      const abort = new AbortController();
      const cancel = timeline.at(timeline.now + timeoutMs, () => {
        resolve({ kind: 'timeout' });
        this.time.enter(() => abort.abort(new OmenError('DEADLINE_EXCEEDED', 'the client gave up')));
      });
      const answer = (reply: Reply<T>): void => {
        timeline.at(timeline.now + this.#hopMs(), () => {
          cancel();
          resolve(reply);
        });
      };
      timeline.at(timeline.now + this.#hopMs(), () => {
        const app = this.#app;
        if (app === null || !this.alive) answer({ kind: 'down' });
        else {
          this.#squeeze();
          this.time.enter(() => this.#run(() => run(app, contextOf(tenant, abort.signal)), answer));
        }
      });
    });
  }

  /** Runs something inside the process. Rejects with what it throws; never settles if the process dies. */
  inside<T>(run: (app: App) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.time.enter(() => {
        if (this.#app === null) reject(new OmenError('DRAINING', 'not started'));
        else run(this.#app).then(resolve, reject);
      });
    });
  }

  /** Gives the memory back. The process must be dead, or its world at its end. */
  dispose(): void {
    this.kill();
    this.#pool.giveBack();
  }

  #run<T>(call: () => Promise<T>, answer: (reply: Reply<T>) => void): void {
    const { timeline, fail } = this.world;
    const { freezes } = this.time;
    const cancel = timeline.at(timeline.now + CALL_MS_MAX, () => {
      if (this.alive && !this.time.frozen && this.time.freezes === freezes) {
        fail(new Violation(`a call to ${this.name} does not end`));
      }
    });
    call().then(
      (value) => {
        cancel();
        answer({ kind: 'ok', value });
      },
      (error: unknown) => {
        cancel();
        if (error instanceof OmenError) answer({ kind: 'error', error });
        else fail(error);
      },
    );
  }

  #hopMs(): number {
    return 0.1 + this.rng.unit() * 2;
  }

  #logger(): Logger {
    const say = (message: string, facts?: Readonly<Record<string, unknown>>): void => {
      const error = facts?.['error'];
      this.world.note(this.name, `says: ${message}${error === undefined ? '' : ` (${String(error)})`}`);
    };
    const none = (): void => undefined;
    const logger: Logger = {
      verbose: false,
      debug: none,
      info: none,
      warn: say,
      error: say,
      child: () => logger,
    };
    return logger;
  }
}

function storeOf(
  name: string,
  { bucket, timeline, settings, note, draw }: Surroundings,
  time: ProcessTime,
  rng: SeededRng,
): FailingObjectStore {
  const isProbe = ({ key }: Call): boolean => key.startsWith('_probe/');
  return new FailingObjectStore(bucket, {
    rng,
    scheduler: time,
    latencyMs: (call, leg) => {
      if (isProbe(call)) return 0;
      if (rng.chance(settings.slowRate)) return 200 + rng.unit() * 4000;
      return (leg === 'request' ? 2 : 1) + rng.unit() * settings.latencyMs;
    },
    // A request that has left goes on its way although its process is frozen or dead.
    network: () => (rng.chance(0.5) ? timeline : time),
    draw: (call) => (isProbe(call) ? null : draw(name, rng, call)),
    observe: (call, fault, result) => {
      if (isProbe(call)) return;
      const outcome = result === null ? 'not applied' : describe(result);
      note(name, `${call.operation} ${shortKey(call.key)}: ${outcome}${fault === null ? '' : `, ${fault}`}`);
    },
    killed: () => {
      note(name, 'is killed by a call');
      time.kill();
    },
  });
}

function contextOf(tenant: string, signal: AbortSignal): RequestContext {
  return {
    tenant: tenant as TenantId,
    subject: 'test',
    requestId: 'test',
    signal,
    startedMs: 0,
    tier: 'hot',
  };
}

function describe(result: unknown): string {
  if (result === undefined) return 'done';
  if (Array.isArray(result)) return `${result.length} keys`;
  const { kind, etag, size } = result as { kind: string; etag?: string; size?: number };
  return `${kind}${etag === undefined ? '' : ` ${etag}`}${size === undefined ? '' : ` ${size} B`}`;
}

/** Enough of a key to follow it through a trace. */
function shortKey(key: string): string {
  return key
    .replace(/^n\/..\/(.{4})[^/]*/, '$1')
    .replace(/\/0{5,}(\d)/, '/$1')
    .replace(/([0-9a-f]{6})[0-9a-f]{26}/, '$1');
}
