// Why an answer from segments outside of memory leaves something out.
import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Performance, QueryRequest } from '#server/app/api.js';
import type { TestApp, TestAppOptions } from '../../../support/test-app.js';
import { contextOf, openTestApp } from '../../../support/test-app.js';
import { clusteredRows, rowOf } from '../../../support/vector-space.js';

const context = contextOf();
const NAME = 'things';
const READ = { consistency: 'session', sessionToken: '' } as const;
const ROWS = 6000;
const BASE = clusteredRows(5, ROWS, 16, 60);
const OPTIONS = { flushRows: 100_000, clusterFromRows: 1000 } as const;
const PAGED = { ...OPTIONS, openWholeBytes: 0, promoteAfter: Infinity, ownsStore: false } as const;

describe('The reason of a partial answer', function () {
  this.timeout(30_000);
  let store: MemoryObjectStore;
  const apps: TestApp[] = [];

  async function open(options: TestAppOptions): Promise<TestApp> {
    const app = await openTestApp(store, options);
    apps.push(app);
    return app;
  }
  before(async () => {
    store = new MemoryObjectStore();
    const app = await openTestApp(store, OPTIONS);
    const { handlers } = app;
    await handlers.createCollection(context, { name: NAME, dimensions: 16, metric: 'l2', requestId: '' });
    for (let from = 0; from < ROWS; from += 2000) {
      const rows = Array.from({ length: 2000 }, (_, index) => from + index);
      const vectors = new Float32Array(rows.flatMap((row) => [...rowOf(BASE, row)]));
      await handlers.upsertRecords(context, {
        ...{ collection: NAME, requestId: '' },
        records: {
          ...{ ids: rows.map(String), vectors, dimensions: 16 },
          ...{ attributes: [], path: (index) => `records[${index}]` },
        },
      });
      await (await app.collections.open(context.tenant, NAME)).upkeep.flush();
    }
    await app.close();
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });

  async function ask(app: TestApp, request: Partial<QueryRequest> = {}): Promise<Performance> {
    const { performance } = await app.handlers.query(context, {
      ...{ collection: NAME, vector: rowOf(BASE, 7), topK: 10, select: [], includeVectors: false },
      ...{ params: { exact: false }, ...READ, ...request },
    });
    return performance;
  }

  it('is the budget of bytes when the postings that the recall asks for have more', async () => {
    const performance = await ask(await open({ ...PAGED, postingBytesMax: 12_000 }));
    expect(performance).to.include({ partial: true, partialReason: 'budget' });
    expect(performance.candidates).to.be.greaterThan(0);
  });

  it('is the number of rounds when they found fewer than asked for', async () => {
    const few = { topK: 5900, params: { exact: false, nprobe: 1 } } as const;
    expect(await ask(await open(PAGED), few)).to.include({ partial: true, partialReason: 'rounds' });
  });

  it('is none when nothing was left out', async () => {
    const none = { partial: false, partialReason: null };
    expect(await ask(await open(PAGED))).to.include(none);
    expect(await ask(await open(OPTIONS))).to.include(none);
  });
});
