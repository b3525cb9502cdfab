// A collection whose segments are not in memory gives the answers of one whose segments are.
import { expect } from 'chai';
import { NO_BLOCK_CACHE } from '#server/adapters/memory/no-block-cache.js';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { QueryRequest, QueryResponse } from '#server/app/api.js';
import type { Filter } from '#server/core/filter/ast.js';
import type { Region } from '#server/core/memory/arena.js';
import type { Attributes } from '#server/core/record/record.js';
import type { Metric } from '#server/core/vector/metric.js';
import { METRICS } from '#server/core/vector/metric.js';
import type { BlockCache } from '#server/ports/block-cache.js';
import { SeededRng } from '../../../support/seeded-rng.js';
import type { TestApp, TestAppOptions } from '../../../support/test-app.js';
import { contextOf, openTestApp } from '../../../support/test-app.js';
import type { Rows } from '../../../support/vector-space.js';
import { clusteredRows, rowOf, splitRows } from '../../../support/vector-space.js';

const context = contextOf();
const NAME = 'things';
const READ = { consistency: 'session', sessionToken: '' } as const;
const DIMENSIONS = 20;
const ROWS = 6000;
const QUERIES = 30;
const NEVER = { openWholeBytes: 0, promoteAfter: Infinity } as const;
const [BASE, ASKED] = splitRows(clusteredRows(71, ROWS + QUERIES, DIMENSIONS, 60), QUERIES);

describe('A collection whose segments are not in memory', function () {
  this.timeout(60_000);
  const apps: TestApp[] = [];

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });

  async function open(store: MemoryObjectStore, options: TestAppOptions = {}): Promise<TestApp> {
    const app = await openTestApp(store, { ...FLUSHES, ...options });
    apps.push(app);
    return app;
  }

  /** Two segments of thousands of rows, of which some were replaced or deleted, and rows in the log. */
  async function filled(metric: Metric): Promise<MemoryObjectStore> {
    const store = new MemoryObjectStore();
    const app = await open(store);
    await app.handlers.createCollection(context, {
      name: NAME,
      dimensions: DIMENSIONS,
      metric,
      requestId: '',
    });
    await upsert(app, 0, 3000);
    await flush(app);
    await upsert(app, 2900, 5500);
    await app.handlers.deleteRecords(context, { collection: NAME, ids: ['17', '3001'], requestId: '' });
    await flush(app);
    await upsert(app, 5400, ROWS);
    await app.close();
    apps.splice(apps.indexOf(app), 1);
    return store;
  }

  for (const metric of METRICS) {
    it(`finds the same records with the same scores under ${metric}`, async () => {
      const store = await filled(metric);
      const [whole, paged] = [await open(store), await open(store, { ...NEVER, ownsStore: false })];
      for (let query = 0; query < QUERIES; query++) {
        for (const filter of [undefined, ...FILTERS]) {
          const seen = await search(paged, query, filter);
          expect(seen.hits, JSON.stringify(filter?.kind)).to.deep.equal(
            (await search(whole, query, filter)).hits,
          );
        }
      }
      expect(segmentsInMemory(await opened(paged))).to.deep.equal([false, false]);
      expect(segmentsInMemory(await opened(whole))).to.deep.equal([true, true]);
    });
  }

  it('reads from the store what is damaged in the cache', async () => {
    const store = await filled('cosine');
    const damaged: BlockCache = {
      ...NO_BLOCK_CACHE,
      get: (key, into) => Promise.resolve(into?.subarray(0, key.length).fill(7)),
    };
    const whole = await open(store);
    const app = await open(store, { ...NEVER, ownsStore: false, blockCache: damaged });
    for (const filter of [undefined, ...FILTERS]) {
      const { hits, performance } = await search(app, 1, filter);
      expect(hits).to.deep.equal((await search(whole, 1, filter)).hits);
      expect(performance.tier).to.be.oneOf(['cold', 'hot']);
    }
    expect(segmentsInMemory(await opened(app))).to.deep.equal([false, false]);
  });

  it('compares every record when asked to', async () => {
    const store = await filled('l2');
    const [whole, paged] = [await open(store), await open(store, { ...NEVER, ownsStore: false })];
    for (let query = 0; query < 5; query++) {
      const seen = await search(paged, query, undefined, { params: { exact: true } });
      expect(seen.performance.exact).to.equal(true);
      const expected = await search(whole, query, undefined, { params: { exact: true } });
      expect(seen.hits).to.deep.equal(expected.hits);
    }
  });

  it('gets, counts and scans the same records', async () => {
    const store = await filled('cosine');
    const [whole, paged] = [await open(store), await open(store, { ...NEVER, ownsStore: false })];
    const ids = ['0', '17', '2950', '3001', '5450', 'nobody', '5999'];
    const get = async (app: TestApp) => {
      const { records, missingIds } = await app.handlers.batchGetRecords(context, {
        ...{ collection: NAME, ids, select: 'all', includeVectors: true, ...READ },
      });
      return { records, missingIds };
    };
    expect(await get(paged)).to.deep.equal(await get(whole));
    for (const filter of FILTERS) {
      const count = async (app: TestApp) =>
        (await app.handlers.countRecords(context, { collection: NAME, filter, ...READ })).count;
      expect(await count(paged)).to.equal(await count(whole));
    }
    expect(await scanAll(paged)).to.deep.equal(await scanAll(whole));
  });

  it('is written, patched and deleted from, and keeps that when it is opened anew', async () => {
    const store = await filled('cosine');
    const paged = await open(store, { ...NEVER, ownsStore: false });
    const { handlers } = paged;
    expect(await upsert(paged, 100, 300)).to.include({ inserted: 0, updated: 200 });
    expect(await upsert(paged, 17, 18)).to.include({ inserted: 1, updated: 0 });
    const patches = [
      { id: '500', attributes: new Map([['row', 7n]]) },
      { id: 'nobody', attributes: new Map() },
    ];
    const patched = await handlers.patchRecords(context, { collection: NAME, patches, requestId: '' });
    expect(patched).to.include({ patched: 1 });
    const filter: Filter = { kind: 'range', field: 'row', operator: 'lt', value: 10n };
    const deleted = await handlers.deleteRecords(context, {
      collection: NAME,
      filter,
      ids: [],
      requestId: '',
    });
    expect(deleted.deleted).to.equal(11);
    expect(segmentsInMemory(await opened(paged))).to.include(false);
    const before = await scanAll(paged);
    await flush(paged);
    expect(await scanAll(paged)).to.deep.equal(before);
    await paged.close();
    apps.splice(apps.indexOf(paged), 1);
    const whole = await open(store);
    expect(await scanAll(whole)).to.deep.equal(before);
    const again = await open(store, { ...NEVER, ownsStore: false });
    expect(await scanAll(again)).to.deep.equal(before);
    await (await opened(again)).upkeep.settle();
    expect(await scanAll(again)).to.deep.equal(before);
  });

  it('comes into memory when it is used often, and leaves it when memory is needed', async () => {
    const store = await filled('cosine');
    const app = await open(store, { openWholeBytes: 0, promoteAfter: 2, ownsStore: false });
    const expected = (await search(app, 3)).hits;
    for (let times = 0; times < 6; times++) {
      expect((await search(app, 3)).hits).to.deep.equal(expected);
      await app.scheduler.yield();
    }
    expect(segmentsInMemory(await opened(app))).to.not.include(false);
    // Until nothing is left that could make room.
    const regions: Region[] = [];
    expect(() => {
      for (;;) regions.push(app.arena.allocate(64 * 1024, 'a test'));
    }).to.throw('raise OMENDB_MEMORY_BYTES');
    expect(segmentsInMemory(await opened(app))).to.include(false);
    for (const region of regions) region.release();
    expect((await search(app, 3)).hits).to.deep.equal(expected);
  });

  it('reads 1-bit codes of vectors of many dimensions, and finds as many of the nearest', async () => {
    const [base, asked] = splitRows(spreadOut(clusteredRows(73, 6000 + QUERIES, 16, 40, 1), 256), QUERIES);
    const store = new MemoryObjectStore();
    const writer = await open(store);
    const schema = { name: NAME, dimensions: 256, metric: 'cosine', requestId: '' } as const;
    await writer.handlers.createCollection(context, schema);
    await upsert(writer, 0, 6000, base);
    await flush(writer);
    const nearest = async (app: TestApp, query: number, params: QueryRequest['params']) =>
      search(app, query, undefined, {
        vector: rowOf(asked, query),
        params,
        select: [],
        includeVectors: false,
      });
    let found = 0;
    const bytes = { oneBit: 0, byte: 0 };
    for (let query = 0; query < QUERIES; query++) {
      const exact = (await nearest(writer, query, { exact: true })).hits.map(({ id }) => id);
      // Anew each time, so that nothing is in memory.
      for (const codes of ['oneBit', 'byte'] as const) {
        const app = await open(store, { ...NEVER, ownsStore: false });
        const params = { exact: false, recallTarget: 0.99, ...(codes === 'byte' ? { rerank: 23 } : {}) };
        const { hits, performance } = await nearest(app, query, params);
        bytes[codes] += performance.bytesRead;
        if (codes === 'oneBit') found += hits.filter(({ id }) => exact.includes(id)).length;
        expect(performance.roundTrips).to.be.at.most(3);
        await app.close();
        apps.splice(apps.indexOf(app), 1);
      }
    }
    expect(found / (QUERIES * 10)).to.be.at.least(0.97);
    expect(bytes.oneBit / bytes.byte).to.be.below(0.5);
  });

  it('says how far it had to go for an answer', async () => {
    const store = await filled('cosine');
    const app = await open(store, { ...NEVER, ownsStore: false });
    await opened(app);
    const first = (await search(app, 0)).performance;
    expect(first.tier).to.equal('cold');
    expect(first.roundTrips).to.be.within(1, 2);
    expect(first.objectStoreGets).to.be.greaterThan(1);
    expect(first.bytesRead).to.be.greaterThan(1000);
    const second = (await search(app, 0)).performance;
    expect(second).to.include({ tier: 'hot', roundTrips: 0, objectStoreGets: 0, bytesRead: 0 });
  });
});

const FLUSHES = { clusterFromRows: 500, flushRows: 100_000, retentionMs: 0 } as const;
const FILTERS: readonly Filter[] = [
  { kind: 'eq', field: 'half', value: true },
  { kind: 'eq', field: 'tenth', value: true },
  { kind: 'range', field: 'row', operator: 'lt', value: 40n },
  { kind: 'ids', ids: ['3', '3002', '5999', 'nobody'] },
  { kind: 'idPrefix', prefix: '29' },
  { kind: 'not', filter: { kind: 'eq', field: 'half', value: true } },
  {
    kind: 'prefix',
    field: 'text',
    prefix: 'a long text that is longer than what the index keeps of it, number 1',
  },
];

const ATTRIBUTES: readonly Attributes[] = (() => {
  const rng = new SeededRng(72);
  return Array.from({ length: ROWS }, (_, row) => {
    const text = `a long text that is longer than what the index keeps of it, number ${row}`;
    return new Map<string, boolean | bigint | string>([
      ['row', BigInt(row)],
      ['half', rng.chance(0.5)],
      ['tenth', rng.chance(0.1)],
      ['text', text],
    ]);
  });
})();

const opened = (app: TestApp) => app.collections.open(context.tenant, NAME);
const flush = async (app: TestApp) => (await opened(app)).upkeep.flush();

function segmentsInMemory({ state }: Awaited<ReturnType<typeof opened>>): boolean[] {
  return state.segments.map(({ isWhole }) => isWhole);
}

function upsert(app: TestApp, from: number, to: number, rows: Rows = BASE) {
  return app.handlers.upsertRecords(context, {
    ...{ collection: NAME, requestId: '' },
    records: {
      ids: Array.from({ length: to - from }, (_, index) => String(from + index)),
      vectors: rowsBetween(rows, from, to),
      dimensions: rows.dimensions,
      attributes: ATTRIBUTES.slice(from, to),
      path: (index) => `records[${index}]`,
    },
  });
}

/** Rows of more dimensions in which they differ as before: of embeddings, too, few directions matter. */
function spreadOut({ values, dimensions: few }: Rows, dimensions: number): Rows {
  const rng = new SeededRng(74);
  const directions = Float32Array.from({ length: few * dimensions }, () => rng.below(2001) / 1000 - 1);
  const rows = values.length / few;
  const wide = new Float32Array(rows * dimensions);
  for (let row = 0; row < rows; row++) {
    for (let from = 0; from < few; from++) {
      const weight = values[row * few + from] ?? 0;
      for (let to = 0; to < dimensions; to++) {
        const at = row * dimensions + to;
        wide[at] = (wide[at] ?? 0) + weight * (directions[from * dimensions + to] ?? 0);
      }
    }
  }
  return { dimensions, values: wide };
}

function rowsBetween({ values, dimensions }: Rows, from: number, to: number): Float32Array {
  return values.slice(from * dimensions, to * dimensions);
}

function search(
  app: TestApp,
  query: number,
  filter?: Filter,
  more: Partial<QueryRequest> = {},
): Promise<QueryResponse> {
  return app.handlers.query(contextOf(), {
    ...{ collection: NAME, vector: rowOf(ASKED, query), topK: 10, select: 'all', includeVectors: true },
    ...{ params: { exact: false }, ...READ, ...(filter === undefined ? {} : { filter }), ...more },
  });
}

async function scanAll(app: TestApp) {
  const records = [];
  for (let pageToken = ''; ;) {
    const page = await app.handlers.scanRecords(context, {
      ...{ collection: NAME, pageSize: 700, pageToken, select: 'all', includeVectors: true, ...READ },
    });
    records.push(...page.records);
    if (page.nextPageToken === '') return records;
    pageToken = page.nextPageToken;
  }
}
