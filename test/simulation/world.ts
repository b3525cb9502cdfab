/*
 * A world: servers on one bucket, clients, and what goes wrong, all drawn from one seed.
 *
 * Everything happens on one timeline. Every change of the bucket is checked when it takes effect and every
 * answer when it arrives; the first broken promise ends the world. The trace has one line per event: store
 * calls, operations, faults.
 */
import type { RequestContext } from '#server/app/api.js';
import type { App } from '#server/app/app.js';
import type { OmenError } from '#server/core/errors.js';
import { decodeEnvelope } from '#server/core/log/envelope.js';
import type { Call, Fault, Hold } from '../support/failing-object-store.js';
import { FAULTS } from '../support/failing-object-store.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { Change } from './bucket.js';
import { Bucket } from './bucket.js';
import type { Checker } from './linearizability.js';
import { Violation } from './linearizability.js';
import type { Reply, Surroundings } from './server.js';
import { SimServer } from './server.js';
import type { Settings } from './settings.js';
import { DAY_MS, drawSettings } from './settings.js';
import { StoreRules } from './store-rules.js';
import { nextTurn, Timeline } from './timeline.js';

/** A collection that clients use. */
export interface Subject {
  readonly tenant: string;
  readonly name: string;
  readonly id: string;
  readonly rules: StoreRules;
  readonly checker: Checker;
  /** Of recent answers. */
  readonly tokens: { readonly token: string; readonly sequence: number }[];
  /** Snapshots that exist, with the last write that each holds. */
  readonly snapshots: Map<string, number>;
  /** Somebody deletes it, or has. */
  dropped: boolean;
}

export const NAME = 'words';
/** Share of answers to slots and roots that are lost where adapters do not know their own writes again. */
const LOST_RATE = 0.08;
/** Steps of the timeline that end a world in which nothing comes to an end. */
const STEPS_MAX = 300_000;

export class World implements Surroundings {
  /** One line per event. */
  readonly trace: string[] = [];
  readonly rng: SeededRng;
  readonly settings: Settings;
  readonly timeline = new Timeline();
  readonly bucket: Bucket;
  readonly subjects: Subject[] = [];
  /** By number; the next run of a server takes the place of a dead one. */
  readonly servers: SimServer[] = [];
  /** The origins of branches, by the branch's name. */
  readonly origins = new Map<string, StoreRules>();
  /** Names of branches that somebody deletes, or has. */
  readonly droppedNames = new Set<string>();
  /** Snapshots that somebody deletes, or has. */
  readonly letGo: string[] = [];
  /** Until when the storage of one process, or with `*` of all, is out of order. */
  readonly outages = new Map<string, number>();
  /** Calls that are stopped on their way, or will be. */
  readonly held: Hold[] = [];
  /** Clients rest until then. */
  calmUntilMs = 0;
  /** Nothing goes wrong any more and actors end. */
  healed = false;
  /** And whatever had gone wrong is over. */
  resting = false;
  violation: Violation | null = null;
  readonly #rules = new Map<string, StoreRules>();
  readonly #pools: SimServer[] = [];
  #seeds = 0;
  #operations = 0;

  constructor(readonly seed: number) {
    this.rng = new SeededRng(seed);
    this.settings = drawSettings(this.rng);
    this.bucket = new Bucket(this.settings.forgetful, (change) => this.#changed(change));
  }

  /** Lets time pass until `done`, or until a promise is broken. */
  async until(done: () => boolean): Promise<void> {
    await nextTurn();
    for (let steps = 0; this.violation === null && !done(); steps++) {
      if (steps > STEPS_MAX) throw new Violation('the world does not come to an end');
      if (!(await this.timeline.step())) throw new Violation('nothing is left to happen');
    }
    if (this.violation !== null) throw this.violation;
  }

  /** Waits for a promise that needs time to pass. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let ended = false;
    const end = (): void => void (ended = true);
    promise.then(end, end);
    await this.until(() => ended);
    return promise;
  }

  readonly note = (who: string, event: string): void => {
    this.trace.push(`${this.timeline.now.toFixed(1)} ${who} ${event}`);
  };

  /** Ends the world: a promise was broken, or something threw that must not. */
  readonly fail = (error: unknown): void => {
    this.violation ??=
      error instanceof Violation
        ? error
        : new Violation(error instanceof Error ? (error.stack ?? error.message) : String(error), {
            cause: error,
          });
  };

  readonly draw = (who: string, rng: SeededRng, { operation, key }: Call): Fault | null => {
    if (this.healed) return null;
    const outage = Math.max(this.outages.get(who) ?? 0, this.outages.get('*') ?? 0);
    if (this.timeline.now < outage) return rng.chance(0.85) ? 'before' : 'after';
    const { rates } = this.settings;
    let dice = rng.unit();
    for (const fault of FAULTS) {
      dice -= rates[fault] ?? 0;
      if (dice < 0) return fault;
    }
    const decides = operation === 'compareAndSwap' || key.includes('/w/');
    if (this.settings.forgetful && decides && rng.chance(LOST_RATE)) return 'after';
    return operation === 'get' && rng.chance(this.#damageRate(key)) ? drawDamage(rng) : null;
  };

  /** A seed that no other part of this world has. */
  nextSeed(): number {
    return this.seed * 1000 + ++this.#seeds;
  }

  /** Names an operation. */
  nextOperation(kind: string): string {
    return `${kind}-${++this.#operations}`;
  }

  /** Starts a server, again if storage is in the way. Resolves when it is up or dead. */
  async startServer(number: number): Promise<void> {
    const server = new SimServer(`server ${number}`, this, this.nextSeed());
    this.#pools.push(server);
    this.servers[number] = server;
    await server.start();
  }

  /** As a load balancer chooses: mostly a server that answers. */
  pickServer(rng: SeededRng): SimServer {
    const well = this.servers.filter(({ alive, time }) => alive && !time.frozen);
    const among = well.length > 0 && rng.chance(0.8) ? well : this.servers;
    const server = among[rng.below(among.length)];
    if (server === undefined) throw new Error('a world without servers');
    return server;
  }

  /** Calls a server as a client does, and takes only such answers as a client may get. */
  async call<T>(
    server: SimServer,
    subject: Subject,
    run: (app: App, context: RequestContext) => Promise<T>,
  ): Promise<Reply<T>> {
    const reply = await server.call(subject.tenant, this.resting ? 120_000 : this.settings.clientMs, run);
    if (reply.kind === 'error') this.expectAllowed(reply.error, subject.dropped);
    return reply;
  }

  /** Ends the world unless a client may hear this. */
  expectAllowed(error: OmenError, dropped = false): void {
    if (!this.#allowed(error, dropped)) this.fail(error);
  }

  /** Clients think between operations, and rest in a calm. */
  async think(rng: SeededRng): Promise<void> {
    await this.timeline.sleep(-Math.log(1 - rng.unit()) * this.settings.thinkMs);
    if (!this.healed && this.timeline.now < this.calmUntilMs) {
      await this.timeline.sleep(this.calmUntilMs - this.timeline.now);
    }
  }

  /** Ends every process and gives their memory back. */
  dispose(): void {
    for (const server of this.#pools) server.dispose();
  }

  #damageRate(key: string): number {
    const { damageRate } = this.settings;
    // Segments are read seldom, and are large.
    if (damageRate === 0 || !/\/[swdr]\//.test(key)) return 0;
    return key.includes('/s/') ? Math.max(0.4, damageRate) : damageRate;
  }

  #allowed({ reason, message }: OmenError, dropped: boolean): boolean {
    if (reason === 'COLLECTION_NOT_FOUND') return dropped;
    if (reason === 'SNAPSHOT_NOT_FOUND') return this.letGo.some((name) => message.includes(`"${name}"`));
    if (reason === 'MOMENT_NOT_KEPT') {
      return this.settings.retentionMs < DAY_MS || this.timeline.now > DAY_MS / 2;
    }
    if (reason === 'DATA_CORRUPTED') return this.settings.damaged && !this.resting;
    return EXPECTED.has(reason);
  }

  #changed({ key, body }: Change): void {
    try {
      const [, id = '', rest = ''] = /^n\/[^/]+\/([^/]+)\/(.*)$/.exec(key) ?? [];
      if (id !== '') this.#rulesOf(id).changed(rest, body);
      else if (key.startsWith('_catalog/') && body !== null) this.#named(key, body);
    } catch (error) {
      this.fail(error);
    }
  }

  #rulesOf(id: string): StoreRules {
    const known = this.#rules.get(id);
    if (known !== undefined) return known;
    const rules = new StoreRules(id, {
      originOf: (name) => this.origins.get(name),
      byId: (other) => this.#rules.get(other),
      all: () => this.#rules.values(),
    });
    this.#rules.set(id, rules);
    return rules;
  }

  /** A name was given to a collection, or taken away. */
  #named(key: string, body: Uint8Array): void {
    const { current } = decodeEnvelope({ magic: 'OMCT', version: 1 }, body, key);
    const { id } = (current ?? {}) as { id?: string };
    if (id === undefined || this.subjects.some((subject) => subject.id === id)) return;
    const [, , tenant = '', name = ''] = key.split('/');
    // A first try that was slower than its repetition makes it again after it was deleted.
    const rules = this.#rulesOf(id);
    rules.ignored = this.droppedNames.has(name);
    if (rules.ignored) return;
    this.subjects.push({
      ...{ tenant, name, id, rules, checker: rules.checker, tokens: [] },
      ...{ snapshots: new Map<string, number>(), dropped: false },
    });
  }
}

function drawDamage(rng: SeededRng): Fault {
  return rng.chance(0.85) ? 'flipped' : 'truncated';
}

/** What a client may hear when storage or servers fail. */
const EXPECTED = new Set<OmenError['reason']>([
  'STORAGE_UNAVAILABLE',
  'STORAGE_FULL',
  'COLLECTION_BUSY',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'WRITE_BACKPRESSURE',
]);
