// Which requests waited for the object store: a request is cold when it did.
import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { QueryResponse, ReadOptions } from '#server/app/api.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { RecordedMetrics } from '../../../support/recorded-metrics.js';
import type { TestApp } from '../../../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../../../support/test-app.js';

const NAME = 'words';

describe('The tier of a request', () => {
  let disk: MemoryObjectStore;
  let clock: FakeClock;
  let metrics: RecordedMetrics;
  let app: TestApp;
  beforeEach(async () => {
    disk = new MemoryObjectStore();
    clock = new FakeClock();
    app = await start(true);
    const context = contextOf();
    await app.handlers.createCollection(context, {
      ...{ name: NAME, dimensions: 2, metric: 'l2', requestId: '' },
    });
    await app.handlers.upsertRecords(context, {
      ...{ collection: NAME, records: columnsOf([{ id: 'a', vector: [1, 1] }]), requestId: '' },
    });
    await app.handlers.createSnapshot(context, { collection: NAME, name: 'kept', requestId: '' });
  });
  afterEach(() => app.close());

  function start(ownsStore: boolean): Promise<TestApp> {
    metrics = new RecordedMetrics();
    return openTestApp(disk, { ownsStore, clock, metrics, retentionMs: 3_600_000 });
  }

  async function query(read: Partial<ReadOptions> = {}): Promise<[QueryResponse['performance'], string]> {
    const context = contextOf();
    const { performance } = await app.handlers.query(context, {
      ...{ collection: NAME, vector: Float32Array.of(1, 1), topK: 3, select: [] },
      ...{ includeVectors: false, params: { exact: false } },
      ...{ consistency: 'session', sessionToken: '' },
      ...read,
    });
    return [performance, context.tier];
  }
  const tier = async (read?: Partial<ReadOptions>): Promise<string> => (await query(read))[1];
  const sharing = async (): Promise<void> => {
    await app.close();
    app = await start(false);
    await tier();
  };

  it('is cold when the collection had to be opened, and hot from then on', async () => {
    await app.close();
    app = await start(true);
    expect(await tier()).to.equal('cold');
    expect(await tier()).to.equal('hot');
    expect(metrics.series('omendb_cache_requests_total')).to.deep.equal({
      '{"cache":"collection","outcome":"miss"}': 1,
      '{"cache":"collection","outcome":"hit"}': 1,
    });
  });

  it('is cold for everyone who waits for the same collection', async () => {
    await app.close();
    app = await start(true);
    expect(await Promise.all([tier(), tier(), tier()])).to.deep.equal(['cold', 'cold', 'cold']);
  });

  it('is hot for a strong read of a server that is alone, and cold for one that is not', async () => {
    expect(await tier({ consistency: 'strong' })).to.equal('hot');
    await sharing();
    expect(await tier()).to.equal('hot');
    expect(await tier({ consistency: 'strong' })).to.equal('cold');
  });

  it('is hot while the log is looked at in the background, and cold when a read has to wait for that', async () => {
    await sharing();
    clock.advance(3000);
    expect(await tier()).to.equal('hot');
    clock.advance(60_000);
    expect(await tier()).to.equal('cold');
  });

  it('is cold for a write that was not seen yet', async () => {
    await sharing();
    const other = await openTestApp(disk, { ownsStore: false, clock, seed: 2 });
    const { sessionToken } = await other.handlers.upsertRecords(contextOf(), {
      ...{ collection: NAME, records: columnsOf([{ id: 'b', vector: [1, 1] }]), requestId: '' },
    });
    expect(await tier({ sessionToken })).to.equal('cold');
    expect(await tier({ sessionToken })).to.equal('hot');
    await other.close();
  });

  it('is cold for a past that has to be read back, and for a snapshot, whose name has to be looked up', async () => {
    const { sequenceNumber: sequence } = await app.handlers.deleteRecords(contextOf(), {
      ...{ collection: NAME, ids: ['a'], requestId: '' },
    });
    const asOf = { kind: 'sequence', sequence: sequence - 1 } as const;
    expect(await tier({ asOf })).to.equal('cold');
    expect(await tier({ asOf })).to.equal('hot');
    expect(await tier({ asOf: { kind: 'snapshot', name: 'kept' } })).to.equal('cold');
    expect(await tier({ asOf: { kind: 'snapshot', name: 'kept' } })).to.equal('cold');
  });

  it('is told with the answer', async () => {
    await app.close();
    app = await start(true);
    expect((await query())[0].tier).to.equal('cold');
    expect((await query())[0].tier).to.equal('hot');
  });

  it('is told of gets and scans as of queries', async () => {
    for (const cold of [true, false]) {
      if (cold) {
        await app.close();
        app = await start(false);
      }
      const read = { collection: NAME, consistency: 'strong', sessionToken: '', select: [] } as const;
      const shape = { ...read, includeVectors: false };
      const { handlers } = app;
      const contexts = Array.from({ length: 4 }, () => contextOf());
      const [one, two, three, four] = contexts as [never, never, never, never];
      await handlers.getRecord(one, { ...shape, id: 'a' });
      await handlers.batchGetRecords(two, { ...shape, ids: ['a'] });
      await handlers.countRecords(three, read);
      await handlers.scanRecords(four, { ...shape, pageSize: 1, pageToken: '' });
      expect(contexts.map((context) => context.tier)).to.deep.equal(['cold', 'cold', 'cold', 'cold']);
    }
  });
});
