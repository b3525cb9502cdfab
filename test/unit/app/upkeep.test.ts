import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { OmenError } from '#server/core/errors.js';
import { SeededRng } from '../../support/seeded-rng.js';
import { columnsOf, contextOf, openTestApp } from '../../support/test-app.js';

const context = contextOf();

describe('Upkeep', () => {
  it('brings a collection to one segment and no timer when writes stop', async () => {
    const app = await openTestApp(new MemoryObjectStore(), { automatic: false, flushRows: 50 });
    const schema = { name: 'burst', dimensions: 2, metric: 'l2', requestId: '' } as const;
    await app.handlers.createCollection(context, schema);
    const rng = new SeededRng(1);
    for (let batch = 0; batch < 9; batch++) {
      const records = Array.from({ length: 30 }, (_, index) => ({
        id: `${batch}-${index}`,
        vector: [rng.unit(), rng.unit()],
      }));
      await app.handlers.upsertRecords(context, {
        collection: 'burst',
        records: columnsOf(records),
        requestId: '',
      });
    }
    const collection = await app.collections.open(context.tenant, 'burst');
    expect(collection.state.segments.length).to.be.greaterThan(1);
    // Quiet for a second: fold the rest; for another: merge.
    for (let second = 0; second < 10; second++) await app.scheduler.advance(1000);
    expect(collection.state.segments.map(({ rows }) => rows)).to.deep.equal([270]);
    expect(collection.state.memtable.rows).to.equal(0);
    expect(app.scheduler.pending).to.equal(0);
    await app.close();
  });

  it('claims its jobs by the name of the server, and by another one after each start', async () => {
    const claims: string[] = [];
    class Watched extends MemoryObjectStore {
      override compareAndSwap(...given: Parameters<MemoryObjectStore['compareAndSwap']>) {
        const text = new TextDecoder().decode(given[1]);
        claims.push(...[...text.matchAll(/"claimedBy":"([^"]*)"/g)].map(([, owner = '']) => owner));
        return super.compareAndSwap(...given);
      }
    }
    const store = new Watched();
    for (const seed of [1, 2]) {
      const app = await openTestApp(store, { automatic: false, flushRows: 10, serverName: 'omendb-0', seed });
      const schema = { name: `jobs-${seed}`, dimensions: 2, metric: 'l2', requestId: '' } as const;
      await app.handlers.createCollection(context, schema);
      const records = Array.from({ length: 30 }, (_, index) => ({ id: `${index}`, vector: [index, 1] }));
      await app.handlers.upsertRecords(context, {
        ...{ collection: schema.name, records: columnsOf(records), requestId: '' },
      });
      for (let second = 0; second < 5; second++) await app.scheduler.advance(1000);
      await app.close();
    }
    expect(claims).to.not.deep.equal([]);
    for (const owner of claims) expect(owner).to.match(/^omendb-0\/[\w-]+$/);
    expect(new Set(claims).size).to.equal(2);
  });

  it('opens a collection again that filled its memory, with everything that was acknowledged', async () => {
    const store = new MemoryObjectStore();
    const options = { arenaBytes: 40 * 1024 * 1024, automatic: false };
    const full = await openTestApp(store, options);
    const schema = { name: 'full', dimensions: 256, metric: 'l2', requestId: '' } as const;
    await full.handlers.createCollection(context, schema);
    const rng = new SeededRng(2);
    let acknowledged = 0;
    let reason = '';
    while (reason === '') {
      const records = Array.from({ length: 100 }, (_, index) => ({
        id: String(acknowledged + index),
        vector: Array.from({ length: 256 }, () => rng.unit()),
      }));
      try {
        await full.handlers.upsertRecords(context, {
          collection: 'full',
          records: columnsOf(records),
          requestId: '',
        });
        acknowledged += records.length;
      } catch (error) {
        ({ reason } = error as OmenError);
      }
    }
    expect(reason).to.be.oneOf(['MEMORY_EXHAUSTED', 'WRITE_BACKPRESSURE']);
    // The first process is gone without a word.
    const again = await openTestApp(store, options);
    const read = { collection: 'full', consistency: 'session', sessionToken: '' } as const;
    expect(await again.handlers.countRecords(context, read)).to.include({ count: acknowledged });
    await again.close();
  });
});
