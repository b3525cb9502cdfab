// One random history of one collection on storage that fails: writes, reads, flushes, merges and crashes,
// drawn from a seed. After every step the collection must be what the model says. The trace has one line per
// event.
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Filter } from '#server/core/filter/ast.js';
import type { RecordColumns } from '#server/app/api.js';
import { OmenError } from '#server/core/errors.js';
import type { AttributeValue } from '#server/core/record/record.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { TestApp, TestRecord } from '../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../support/test-app.js';
import type { ModelRecord } from './model.js';
import { Model } from './model.js';

const NAME = 'simulated';
const COLORS = ['red', 'green', 'blue'] as const;
const IDS = 60;
const context = contextOf();
const READ = { consistency: 'session', sessionToken: '' } as const;

/** What the history promised and did not keep. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export interface History {
  readonly trace: readonly string[];
  readonly merges: number;
  /** Null when every promise was kept. */
  readonly violation: Violation | null;
}

/** Runs `steps` steps. The same seed gives the same trace. */
export async function runHistory(seed: number, steps: number): Promise<History> {
  const world = new World(seed);
  try {
    await world.start();
    for (let step = 0; step < steps; step++) await world.step();
    await world.finish();
    return { trace: world.trace, merges: world.merges, violation: null };
  } catch (error) {
    const violation =
      error instanceof Violation ? error : new Violation(String((error as Error).stack), { cause: error });
    return { trace: world.trace, merges: world.merges, violation };
  }
}

class World {
  readonly trace: string[] = [];
  /** Merges that were published: a history without one shows little. */
  merges = 0;
  readonly #rng: SeededRng;
  readonly #disk = new MemoryObjectStore();
  readonly #model = new Model();
  readonly #answered: { requestId: string; columns: RecordColumns; updated: number }[] = [];
  #rates = {};
  #store: FailingObjectStore;
  #app!: TestApp;
  #requests = 0;
  #starts = 0;

  constructor(private readonly seed: number) {
    this.#rng = new SeededRng(seed);
    this.#store = this.#newStore();
  }

  async start(): Promise<void> {
    await this.#open();
    this.#setRate(0.01);
    await this.#certain('create', () =>
      this.#app.handlers.createCollection(context, {
        name: NAME,
        dimensions: 4,
        metric: 'l2',
        requestId: '',
      }),
    );
  }

  async step(): Promise<void> {
    const dice = this.#rng.below(100);
    if (dice < 40) await this.#upsert();
    else if (dice < 50) await this.#patch();
    else if (dice < 60) await this.#delete();
    else if (dice < 66) await this.#deleteByFilter();
    else if (dice < 72) await this.#flush();
    else if (dice < 76) await this.#crash();
    else if (dice < 82) await this.#repeat();
    else await this.#read();
    await this.#compareAll();
  }

  /** Heals the storage, restarts, and compares everything. */
  async finish(): Promise<void> {
    await this.#restart('end', 0);
    await this.#compareAll();
    await this.#app.close();
  }

  async #upsert(): Promise<void> {
    const records = this.#someIds(1 + this.#rng.below(8)).map((id) => ({ id, ...this.#record() }));
    const updated = records.filter(({ id }) => this.#model.records.has(id)).length;
    await this.#write(`upsert ${records.map(({ id }) => id).join(' ')}`, async (requestId) => {
      const columns = columnsOf(records.map((record) => toTestRecord(record.id, record)));
      const answer = await this.#app.handlers.upsertRecords(context, {
        collection: NAME,
        records: columns,
        requestId,
      });
      this.#expect(answer.updated, updated, 'updated');
      this.#answered.push({ requestId, columns, updated });
    });
    for (const { id, vector, color, rank } of records) this.#model.records.set(id, { vector, color, rank });
  }

  /** An old request comes once more: it gets its first answer and changes nothing. */
  async #repeat(): Promise<void> {
    const old = this.#answered[this.#rng.below(Math.max(1, this.#answered.length))];
    if (old === undefined) return;
    const { requestId, columns, updated } = old;
    const answer = await this.#certain(`repeat ${requestId}`, () =>
      this.#app.handlers.upsertRecords(context, { collection: NAME, records: columns, requestId }),
    );
    this.#expect(answer.updated, updated, `updated by the repeated ${requestId}`);
    this.#log(`repeat ${requestId}`);
  }

  async #patch(): Promise<void> {
    const ids = this.#someIds(1 + this.#rng.below(4));
    const rank = this.#rng.below(100);
    const known = ids.filter((id) => this.#model.records.has(id));
    await this.#write(`patch ${ids.join(' ')}`, async (requestId) => {
      const patches = ids.map((id) => ({ id, attributes: new Map([['rank', BigInt(rank)]]) }));
      const answer = await this.#app.handlers.patchRecords(context, { collection: NAME, patches, requestId });
      this.#expect(answer.patched, known.length, 'patched');
    });
    for (const id of known) this.#model.records.set(id, { ...this.#modelRecord(id), rank });
  }

  async #delete(): Promise<void> {
    const ids = this.#someIds(1 + this.#rng.below(4));
    const known = ids.filter((id) => this.#model.records.has(id));
    await this.#write(`delete ${ids.join(' ')}`, async (requestId) => {
      const answer = await this.#app.handlers.deleteRecords(context, { collection: NAME, ids, requestId });
      this.#expect(answer.deleted, known.length, 'deleted');
    });
    for (const id of known) this.#model.records.delete(id);
  }

  async #deleteByFilter(): Promise<void> {
    const below = this.#rng.below(20);
    const doomed = [...this.#model.records].filter(([, { rank }]) => rank < below).map(([id]) => id);
    await this.#write(`delete rank < ${below}`, async (requestId) => {
      const filter: Filter = { kind: 'range', field: 'rank', operator: 'lt', value: BigInt(below) };
      const answer = await this.#app.handlers.deleteRecords(context, {
        collection: NAME,
        ids: [],
        filter,
        requestId,
      });
      this.#expect(answer.deleted, doomed.length, 'deleted by filter');
    });
    for (const id of doomed) this.#model.records.delete(id);
  }

  async #flush(): Promise<void> {
    const collection = await this.#certain('open', () => this.#app.collections.open(context.tenant, NAME));
    try {
      const merge = this.#rng.chance(0.5);
      const before = collection.state.segments.length;
      await (merge ? collection.upkeep.settle() : collection.upkeep.flush());
      const after = collection.state.segments.length;
      if (merge && before > 1 && after <= before) this.merges++;
      this.#log(`${merge ? 'merge' : 'flush'}: ${before} to ${after} segments`);
    } catch (error) {
      this.#log(`flush failed: ${reasonOf(error)}`);
    }
  }

  async #crash(): Promise<void> {
    await this.#restart('crash', 0.01);
  }

  async #read(): Promise<void> {
    const color = this.#rng.chance(0.5) ? (COLORS[this.#rng.below(COLORS.length)] ?? null) : null;
    const keep = (record: ModelRecord): boolean => color === null || record.color === color;
    const filter: Filter | null = color === null ? null : { kind: 'eq', field: 'color', value: color };
    const with_ = filter === null ? {} : { filter };
    const { count } = await this.#certain('count', () =>
      this.#app.handlers.countRecords(context, { collection: NAME, ...READ, ...with_ }),
    );
    this.#expect(count, this.#model.count(keep), `count of ${color ?? 'all'}`);
    const query = this.#vector();
    const exact = this.#rng.chance(0.7);
    const { hits } = await this.#certain('query', () =>
      this.#app.handlers.query(context, {
        ...{ collection: NAME, vector: Float32Array.from(query), topK: 5, select: [], includeVectors: false },
        ...{ params: { exact }, ...READ, ...with_ },
      }),
    );
    const best = this.#model.nearest(query, 5, keep);
    this.#expect(hits.length, best.length, `hits of ${color ?? 'all'}`);
    this.#expect(new Set(hits.map(({ id }) => id)).size, hits.length, 'distinct hits');
    hits.forEach(({ score }, index) => {
      const wanted = best[index] ?? 0;
      if (exact && Math.abs(score - wanted) > 1e-3 * (1 + Math.abs(wanted))) {
        throw new Violation(`hit ${index} has score ${score}, the model says ${wanted}`);
      }
    });
    this.#log(`read ${color ?? 'all'} ${count}`);
  }

  async #compareAll(): Promise<void> {
    const seen = new Map<string, string>();
    let pageToken = '';
    do {
      const page = await this.#certain('scan', () =>
        this.#app.handlers.scanRecords(context, {
          ...{ collection: NAME, select: 'all', includeVectors: true, pageSize: 17, pageToken, ...READ },
        }),
      );
      for (const { id, vector, attributes } of page.records) {
        if (seen.has(id)) throw new Violation(`scan gave ${id} twice`);
        seen.set(id, describe([...(vector ?? [])], attributes.get('color'), attributes.get('rank')));
      }
      ({ nextPageToken: pageToken } = page);
    } while (pageToken !== '');
    for (const [id, { vector, color, rank }] of this.#model.records) {
      this.#expect(seen.get(id), describe(vector, color, BigInt(rank)), `record ${id}`);
    }
    this.#expect(seen.size, this.#model.records.size, 'records scanned');
  }

  /** Repeats a write with one request id until its outcome is known, through restarts, as the client does. */
  async #write(what: string, call: (requestId: string) => Promise<void>): Promise<void> {
    const requestId = `request-${++this.#requests}`;
    // Sometimes the process dies in the middle.
    if (this.#rng.chance(0.05)) {
      const fault = this.#rng.chance(0.5) ? 'killed-before' : 'killed-after';
      this.#store.failAt(this.#rng.below(3), fault);
      const outcome = await Promise.race([
        call(requestId).then(
          () => 'done' as const,
          () => 'failed' as const,
        ),
        this.#dead(),
      ]);
      this.#log(`${what}: ${fault}, ${outcome}`);
      await this.#restart('after a kill', 0.01);
    }
    await this.#certain(what, () => call(requestId));
    this.#log(what);
  }

  /** Repeats a call until it succeeds; gives up on the storage healing after many tries. */
  async #certain<T>(what: string, call: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await call();
      } catch (error) {
        if (error instanceof Violation || !(error instanceof OmenError)) throw error;
        this.#log(`${what} failed: ${error.reason}`);
        if (tries > 50) throw new Violation(`${what} never succeeds: ${error.message}`, { cause: error });
        await this.#app.scheduler.sleep(1000);
      }
    }
  }

  async #restart(why: string, rate: number): Promise<void> {
    // What the dead process still has under way reaches storage no more.
    this.#store.failAt(0, 'killed-before');
    this.#store = this.#newStore();
    await this.#open();
    this.#setRate(rate);
    this.#log(`restart: ${why}`);
  }

  async #open(): Promise<void> {
    const options = { seed: this.seed + 1000 * ++this.#starts, foldSlots: 6, clusterFromRows: 16 };
    this.#app = await openTestApp(this.#store, options);
  }

  /** Storage is healthy while a server starts: its probe refuses a store that fails it. */
  #newStore(): FailingObjectStore {
    this.#rates = { before: 0, after: 0, full: 0 };
    return new FailingObjectStore(this.#disk, { rng: this.#rng, rates: this.#rates });
  }

  #setRate(rate: number): void {
    Object.assign(this.#rates, { before: rate, after: rate, full: rate / 2 });
  }

  async #dead(): Promise<'dead'> {
    // Longer than anything that is alive takes.
    await this.#app.scheduler.sleep(60_000);
    return 'dead';
  }

  #someIds(count: number): string[] {
    return [...new Set(Array.from({ length: count }, () => `id${this.#rng.below(IDS)}`))];
  }

  #record(): ModelRecord {
    return { vector: this.#vector(), color: COLORS[this.#rng.below(3)] ?? 'red', rank: this.#rng.below(100) };
  }

  #modelRecord(id: string): ModelRecord {
    const record = this.#model.records.get(id);
    if (record === undefined) throw new Error(`the model has no ${id}`);
    return record;
  }

  #vector(): number[] {
    return Array.from({ length: 4 }, () => Math.fround(this.#rng.unit() * 10 - 5));
  }

  #expect(seen: unknown, wanted: unknown, what: string): void {
    if (seen !== wanted)
      throw new Violation(`${what}: seen ${String(seen)}, the model says ${String(wanted)}`);
  }

  #log(event: string): void {
    this.trace.push(event);
  }
}

function toTestRecord(id: string, { vector, color, rank }: ModelRecord): TestRecord {
  const attributes = new Map<string, AttributeValue>([
    ['color', color],
    ['rank', BigInt(rank)],
  ]);
  return { id, vector, attributes };
}

function describe(vector: readonly number[], color: unknown, rank: unknown): string {
  return `${vector.join(',')} ${String(color)} ${String(rank)}`;
}

function reasonOf(error: unknown): string {
  return error instanceof OmenError ? error.reason : String(error);
}
