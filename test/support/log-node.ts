import { NO_METRICS } from '#server/adapters/memory/no-metrics.js';
import { CommitLoop } from '#server/app/log/commit-loop.js';
import { commitSeries } from '#server/app/log/commit-series.js';
import type { CollectionLayout } from '#server/app/log/object-layout.js';
import { ObjectLayout } from '#server/app/log/object-layout.js';
import { RootStore } from '#server/app/log/root-store.js';
import type { Acknowledged, SlotBounds } from '#server/app/log/slot-assembly.js';
import type { CollectorDeps } from '#server/app/maintenance/collect-garbage.js';
import type { CollectionId } from '#server/core/ids.js';
import type { Schema } from '#server/core/log/root.js';
import type { DecodedSlot, WalWrites } from '#server/core/log/wal-slot.js';
import { OP_DELETE, OP_PUT } from '#server/core/log/wal-slot.js';
import type { Logger } from '#server/ports/logger.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import { FakeClock } from './fake-clock.js';
import { FakeScheduler } from './fake-scheduler.js';
import { SeededRng } from './seeded-rng.js';

export const COLLECTION = 'c0'.repeat(16) as CollectionId;
export const SCHEMA: Schema = { name: 'words', dimensions: 2, metric: 'l2', createdAtMs: 1 };

export const silentLogger: Logger = {
  verbose: false,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

/** A put per id: the vector and attributes say which value it is. */
export function puts(values: Readonly<Record<string, number>>): WalWrites {
  const ids = Object.keys(values);
  return {
    ops: new Uint8Array(ids.length).fill(OP_PUT),
    ids,
    vectors: Float32Array.from(ids.flatMap((id) => [values[id] ?? 0, 1])),
    attributes: ids.map((id) => Uint8Array.of(values[id] ?? 0)),
  };
}

export function deletions(ids: readonly string[]): WalWrites {
  const ops = new Uint8Array(ids.length).fill(OP_DELETE);
  return { ops, ids, vectors: new Float32Array(), attributes: [] };
}

export interface LogNodeOptions {
  readonly seed?: number;
  readonly clock?: FakeClock;
  readonly scheduler?: FakeScheduler;
  readonly bounds?: SlotBounds;
}

/** One server's view of a collection's log: what it applied, as a map from id to value. */
export class LogNode {
  readonly layout: CollectionLayout;
  readonly roots: RootStore;
  readonly loop: CommitLoop;
  /** What collectors and pinners of this node work with. */
  readonly deps: CollectorDeps;
  readonly slots: DecodedSlot[] = [];
  readonly values = new Map<string, number>();
  resets = 0;
  /** Thrown by the next apply. */
  applyError: unknown = null;

  constructor(
    readonly store: ObjectStore,
    options: LogNodeOptions = {},
  ) {
    const rng = new SeededRng(options.seed ?? 1);
    const clock = options.clock ?? new FakeClock();
    const scheduler = options.scheduler ?? new FakeScheduler(clock, { automatic: true });
    this.layout = new ObjectLayout().collection(COLLECTION);
    const shared = { store, rng, scheduler, logger: silentLogger, layout: this.layout };
    this.roots = new RootStore(shared);
    this.deps = { ...shared, clock, rootStore: this.roots };
    this.loop = new CommitLoop({
      ...shared,
      clock,
      rootStore: this.roots,
      series: commitSeries(NO_METRICS),
      dimensions: SCHEMA.dimensions,
      apply: (slot) => this.#apply(slot),
      reset: () => this.#reset(),
      ...(options.bounds === undefined ? {} : { bounds: options.bounds }),
    });
  }

  /** A node on a new collection. */
  static async create(store: ObjectStore, options?: LogNodeOptions): Promise<LogNode> {
    const node = new LogNode(store, options);
    await node.roots.create(SCHEMA);
    await node.loop.recover();
    return node;
  }

  /** A further node on a collection that exists: another server, or the same one after a crash. */
  static async open(store: ObjectStore, options?: LogNodeOptions): Promise<LogNode> {
    const node = new LogNode(store, options);
    await node.loop.recover();
    return node;
  }

  put(values: Readonly<Record<string, number>>): Promise<Acknowledged> {
    return this.loop.append(() => ({ writes: puts(values) }));
  }

  /** Adds to a value: right only when each increment sees the one before. */
  increment(id: string): Promise<Acknowledged> {
    return this.loop.append(() => ({ writes: puts({ [id]: (this.values.get(id) ?? 0) + 1 }) }));
  }

  #apply(slot: DecodedSlot): void {
    if (this.applyError !== null) {
      const error = this.applyError;
      this.applyError = null;
      throw error as Error;
    }
    this.slots.push(slot);
    let put = 0;
    slot.writes.ids.forEach((id, index) => {
      if (slot.writes.ops[index] === OP_DELETE) this.values.delete(id);
      else this.values.set(id, slot.writes.vectors[2 * put++] ?? 0);
    });
  }

  #reset(): void {
    this.resets++;
    this.slots.length = 0;
    this.values.clear();
  }
}
