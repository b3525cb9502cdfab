// What is told about the data of open collections, and about searches in it.
import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { MetricName, NameOf } from '#server/core/metrics/catalog.js';
import { RecordedMetrics } from '../../../support/recorded-metrics.js';
import type { TestApp, TestAppOptions } from '../../../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../../../support/test-app.js';

type Plain = Extract<
  MetricName,
  | 'omendb_index_backlog_vectors'
  | 'omendb_tombstones'
  | 'omendb_segments'
  | 'omendb_segment_bytes'
  | 'omendb_wal_bytes'
>;

describe('The metrics of the data', () => {
  let metrics: RecordedMetrics;
  let app: TestApp;
  const start = async (options: TestAppOptions = {}): Promise<void> => {
    metrics = new RecordedMetrics();
    app = await openTestApp(new MemoryObjectStore(), { ...options, metrics });
  };
  afterEach(() => app.close());

  async function create(tenant: string, collection: string, records: number): Promise<void> {
    const request = { name: collection, dimensions: 2, metric: 'l2', requestId: '' } as const;
    await app.handlers.createCollection(contextOf(tenant), request);
    await put(tenant, collection, records);
  }
  async function put(tenant: string, collection: string, records: number): Promise<void> {
    const rows = Array.from({ length: records }, (_, row) => ({ id: `${row}`, vector: [row, 1] }));
    const write = { collection, records: columnsOf(rows), requestId: '' };
    await app.handlers.upsertRecords(contextOf(tenant), write);
  }
  async function remove(tenant: string, collection: string, ids: readonly string[]): Promise<void> {
    await app.handlers.deleteRecords(contextOf(tenant), { collection, ids, requestId: '' });
  }
  async function upkeep(tenant: string, collection: string) {
    return (await app.collections.open(contextOf(tenant).tenant, collection)).upkeep;
  }
  async function series(name: NameOf<'gauge'>): Promise<Readonly<Record<string, number>>> {
    await metrics.scrape();
    return metrics.series(name);
  }
  async function plain(name: Plain): Promise<number | undefined> {
    await metrics.scrape();
    return metrics.value(name, {});
  }

  it('tell the vectors of each collection, of all tenants together', async () => {
    await start();
    await create('acme', 'words', 5);
    await create('initech', 'words', 7);
    await create('initech', 'pictures', 3);
    await remove('acme', 'words', ['0', '1']);
    expect(await series('omendb_vectors_total')).to.deep.equal({
      '{"collection":"words"}': 10,
      '{"collection":"pictures"}': 3,
    });
    expect(await series('omendb_tenant_vectors')).to.deep.equal({});
  });

  it('tell the vectors of each tenant when that is wanted', async () => {
    await start({ countTenants: true });
    await create('acme', 'words', 5);
    await create('initech', 'words', 7);
    await create('initech', 'pictures', 3);
    expect(await series('omendb_tenant_vectors')).to.deep.equal({
      '{"tenant":"acme"}': 5,
      '{"tenant":"initech"}': 10,
    });
  });

  it('tell how many tenants there are of each size', async () => {
    await start();
    await create('small', 'words', 99);
    await create('larger', 'words', 99);
    await create('larger', 'more', 1);
    await create('none', 'words', 1);
    await remove('none', 'words', ['0']);
    expect(await series('omendb_tenants')).to.deep.equal({
      '{"size_class":"0"}': 2,
      '{"size_class":"1e2"}': 1,
    });
  });

  it('tell what is not indexed yet, and what of the segments is deleted', async () => {
    // Nothing is folded before it is told to be.
    await start({ automatic: false });
    await create('acme', 'words', 20);
    expect(await plain('omendb_index_backlog_vectors')).to.equal(20);
    expect(await plain('omendb_segments')).to.equal(0);
    expect(await plain('omendb_wal_bytes')).to.be.greaterThan(0);
    await (await upkeep('acme', 'words')).flush();
    expect(await plain('omendb_index_backlog_vectors')).to.equal(0);
    expect(await plain('omendb_segments')).to.equal(1);
    expect(await plain('omendb_segment_bytes')).to.equal((await upkeep('acme', 'words')).storedBytes);
    expect(await plain('omendb_wal_bytes')).to.equal(0);
    await put('acme', 'words', 5);
    await remove('acme', 'words', ['19']);
    expect(await plain('omendb_tombstones')).to.equal(6);
    expect(await plain('omendb_index_backlog_vectors')).to.equal(5);
    expect(await series('omendb_vectors_total')).to.deep.equal({ '{"collection":"words"}': 19 });
  });

  it('tell which collections rest, and forget those that are closed', async () => {
    await start();
    await create('acme', 'words', 1);
    await create('acme', 'more', 1);
    expect(await series('omendb_collections')).to.deep.equal({ '{"state":"active"}': 2 });
    await (await upkeep('acme', 'words')).settle();
    expect(await series('omendb_collections')).to.deep.equal({
      '{"state":"active"}': 1,
      '{"state":"resting"}': 1,
    });
    await app.handlers.deleteCollection(contextOf('acme'), { collection: 'words', requestId: '' });
    expect(await series('omendb_collections')).to.deep.equal({ '{"state":"active"}': 1 });
    expect(await series('omendb_vectors_total')).to.deep.equal({ '{"collection":"more"}': 1 });
  });

  it('tell how much a query compared and found, and what it missed', async () => {
    await start({ recallSample: 1 });
    await create('acme', 'words', 20);
    await app.handlers.query(contextOf('acme'), {
      ...{ collection: 'words', vector: Float32Array.of(1, 1), topK: 3, select: [] },
      ...{ includeVectors: false, params: { exact: false } },
      ...{ consistency: 'session', sessionToken: '' },
    });
    expect(metrics.observed('omendb_search_candidates', {})).to.deep.equal([20]);
    expect(metrics.observed('omendb_search_results', {})).to.deep.equal([3]);
    await app.close();
    expect(metrics.observed('omendb_query_recall_ratio', {})).to.deep.equal([1]);
  });
});
