// What is under way in a collection goes on when its segments, or all of its state, are exchanged meanwhile.
import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Piece } from '#server/app/tiers/piece-cache.js';
import { Reading } from '#server/app/tiers/reading.js';
import { searchStaged } from '#server/app/tiers/staged-search.js';
import type { Region } from '#server/core/memory/arena.js';
import type { Attributes } from '#server/core/record/record.js';
import type { EnginePool } from '#server/ports/engine-pool.js';
import type { TestApp, TestAppOptions } from '../../../support/test-app.js';
import { contextOf, openTestApp } from '../../../support/test-app.js';
import { clusteredRows } from '../../../support/vector-space.js';

const context = contextOf();
const NAME = 'things';
const ROWS = 2000;
const DIMENSIONS = 16;
const BASE = clusteredRows(81, ROWS, DIMENSIONS, 20);
const PAGED = { openWholeBytes: 0, promoteAfter: Infinity, ownsStore: false } as const;
const WHOLE = { openWholeBytes: Infinity, ownsStore: false } as const;

describe('A collection whose segments move', function () {
  this.timeout(30_000);
  const apps: TestApp[] = [];
  let store: MemoryObjectStore;

  beforeEach(async () => {
    store = new MemoryObjectStore();
    const writer = await open({});
    const schema = { name: NAME, dimensions: DIMENSIONS, metric: 'l2', requestId: '' } as const;
    await writer.handlers.createCollection(context, schema);
    await upsert(writer, 0, ROWS);
    await (await opened(writer)).upkeep.flush();
  });

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });

  async function open(options: TestAppOptions): Promise<TestApp> {
    const app = await openTestApp(store, { clusterFromRows: 500, flushRows: 100_000, ...options });
    apps.push(app);
    return app;
  }

  it('finds a record although the collection is read anew while the record is looked up', async () => {
    const app = await open(PAGED);
    const collection = await opened(app);
    const old = collection.state;
    const { tiers } = collection;
    const resolve = tiers.resolve.bind(tiers);
    let times = 0;
    tiers.resolve = (state, ids, options) => {
      const waiting = resolve(state, ids, options);
      return times++ > 0 || waiting === undefined ? waiting : waiting.then(() => collection.readAnew());
    };
    const request = { collection: NAME, select: 'all', includeVectors: false } as const;
    const read = { consistency: 'session', sessionToken: '' } as const;
    const { id } = await app.handlers.getRecord(context, { ...request, ...read, id: '17' });
    expect(id).to.equal('17');
    expect(collection.state).to.not.equal(old);
  });

  it('follows the log although making room for a slot pushes out the segments that it writes to', async () => {
    const writer = apps[0] as TestApp;
    const follower = await open({ ...WHOLE, arenaBytes: 64 * 1024 * 1024 });
    const collection = await opened(follower);
    const regions = fill(follower);
    await upsert(writer, 0, 500);
    const count = await follower.handlers.countRecords(context, {
      ...{ collection: NAME, consistency: 'strong', sessionToken: '' },
    });
    expect(count.count).to.equal(ROWS);
    expect(collection.state.segments.map(({ isWhole }) => isWhole)).to.deep.equal([false]);
    for (const region of regions) region.release();
  });

  it('reads all of a segment that came into memory and was let go of meanwhile', async () => {
    const app = await open({ ...PAGED, promoteAfter: 1 });
    const collection = await opened(app);
    const { state, tiers } = collection;
    const [segment] = state.segments;
    if (segment === undefined) throw new Error('the collection has a segment');
    const snapshot = state.snapshot();
    tiers.used(state, snapshot);
    while (!segment.isWhole) await app.scheduler.yield();
    await collection.readAnew();
    expect(segment.isReleased).to.equal(true);
    // Those that took its place share its bytes until they leave memory.
    const regions = fill(app);
    regions.push(app.arena.allocate(64, 'a test'));
    expect(collection.state.segments.map(({ isWhole }) => isWhole)).to.deep.equal([false]);
    for (const region of regions) region.release();
    const whole = await tiers.whole(segment);
    expect(whole.view.idOf(whole.view.find('17'))).to.equal('17');
    whole.release();
    snapshot.release();
  });

  it('keeps the skeleton that ids are looked up with when the segment comes into memory', async () => {
    const app = await open({ ...PAGED, promoteAfter: 1 });
    const { state, tiers } = await opened(app);
    const [segment] = state.segments;
    if (segment === undefined) throw new Error('the collection has a segment');
    const { region } = segment.body;
    const held = tiers.segments.hold(segment);
    const snapshot = state.snapshot();
    tiers.used(state, snapshot);
    snapshot.release();
    while (!segment.isWhole) await app.scheduler.yield();
    expect(region.owners).to.equal(1);
    held.release();
    expect(region.owners).to.equal(0);
  });

  it('keeps all ids of a batch that were looked up, however many they are', async () => {
    const [segment] = (await opened(await open(PAGED))).state.segments;
    if (segment === undefined) throw new Error('the collection has a segment');
    const ids = Array.from({ length: 70_000 }, (_, index) => `new ${index}`);
    for (let times = 0; times < 2; times++) {
      segment.expectResolved(ids.length);
      for (const id of ids) segment.resolve(id, { row: -1, sequence: 0 });
      expect(ids.every((id) => segment.knows(id))).to.equal(true);
    }
    segment.expectResolved(1);
    expect(segment.knows(ids[0] ?? '')).to.equal(false);
  });

  it('gives back all memory of segments when it is closed, whatever was looked up and failed', async () => {
    const app = await open(PAGED);
    const collection = await opened(app);
    const { cache } = collection.tiers;
    await upsert(app, 0, 3);
    const good = pieceOf(collection.state.segments[0]?.location ?? '');
    (await cache.pin([good], new Reading())).release();
    const verify = (): never => {
      throw new Error('damaged');
    };
    const bad = { ...good, name: 'bad', verify };
    const failed = await cache.pin([good, bad], new Reading()).catch(String);
    expect(failed).to.equal('Error: damaged');
    await collection.readAnew();
    await upsert(app, 3, 6);
    await app.close();
    apps.splice(apps.indexOf(app), 1);
    expect(cache.bytes).to.equal(0);
    expect(app.arena.usedFor.segments).to.equal(0);
  });

  it('is searched alike when a skeleton has come back somewhere else', async () => {
    const app = await open({ ...PAGED, promoteAfter: 1, arenaBytes: 64 * 1024 * 1024 });
    const [segment] = (await opened(app)).state.segments;
    const search = async () => {
      const { hits } = await app.handlers.query(contextOf(), {
        ...{ collection: NAME, vector: BASE.values.slice(0, DIMENSIONS), topK: 10, select: 'all' },
        ...{ includeVectors: true, params: { exact: false }, consistency: 'session', sessionToken: '' },
      });
      return hits;
    };
    const hits = await search();
    while (segment?.isWhole !== true) await app.scheduler.yield();
    const regions = fill(app);
    for (const { pointer, bytes } of regions) app.arena.u8.fill(255, pointer, pointer + bytes);
    regions.push(app.arena.allocate(64, 'a test'));
    expect(segment.isWhole).to.equal(false);
    expect(await search()).to.deep.equal(hits);
    for (const region of regions) region.release();
  });

  it('holds what an engine reads until it is done, also when the rest of the query failed', async () => {
    const app = await open(PAGED);
    const { state, tiers } = await opened(app);
    await upsert(app, 0, 3);
    const snapshot = state.snapshot();
    expect(snapshot.parts.map(({ kind }) => kind)).to.deep.equal(['memtable', 'paged']);
    let fail = (_: Error): void => undefined;
    const engine = new Promise<never>((_, reject) => (fail = reject));
    const stage = () => Promise.reject(new Error('a stage failed'));
    const pool = { arena: app.arena, search: () => engine, stage } as unknown as EnginePool;
    const { cache, segments } = tiers;
    const query = BASE.values.slice(0, DIMENSIONS);
    const task = { dimensions: DIMENSIONS, metric: 'l2', query, topK: 3, recallTarget: 0.9 } as const;
    let ended = '';
    const search = searchStaged({ pool, cache, segments }, task, snapshot, new Reading()).catch(
      (error: unknown) => (ended = String(error)),
    );
    for (let turns = 0; turns < 20; turns++) await app.scheduler.yield();
    expect(ended).to.equal('');
    fail(new Error('the engine is done'));
    await search;
    expect(ended).to.equal('Error: a stage failed');
    snapshot.release();
  });
});

function pieceOf(object: string): Piece {
  return { name: 'good', object, offset: 0, length: 64, verify: () => undefined };
}

/** Takes all memory that is not kept for what is urgent, without pushing anything out. */
function fill({ arena }: TestApp): Region[] {
  const { reclaim } = arena;
  const regions: Region[] = [];
  arena.reclaim = () => false;
  for (const bytes of [1024 * 1024, 16 * 1024, 64]) {
    try {
      for (;;) regions.push(arena.allocate(bytes, 'a test'));
    } catch {
      // Smaller ones may fit.
    }
  }
  arena.reclaim = reclaim;
  return regions;
}

const opened = (app: TestApp) => app.collections.open(context.tenant, NAME);

function upsert(app: TestApp, from: number, to: number) {
  return app.handlers.upsertRecords(context, {
    ...{ collection: NAME, requestId: '' },
    records: {
      ids: Array.from({ length: to - from }, (_, index) => String(from + index)),
      vectors: BASE.values.slice(from * DIMENSIONS, to * DIMENSIONS),
      dimensions: DIMENSIONS,
      attributes: new Array<Attributes>(to - from).fill(new Map()),
      path: (index) => `records[${index}]`,
    },
  });
}
