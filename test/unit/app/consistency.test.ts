import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { ReadOptions } from '#server/app/api.js';
import { STALENESS_MS } from '#server/app/collections/freshness.js';
import { OmenError } from '#server/core/errors.js';
import { FailingObjectStore } from '../../support/failing-object-store.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeScheduler, settle } from '../../support/fake-scheduler.js';
import type { TestApp } from '../../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../../support/test-app.js';

const context = contextOf();
const NAME = 'words';

describe('Several servers on one store', () => {
  let disk: MemoryObjectStore;
  let clock: FakeClock;
  let servers: readonly TestApp[];
  let stores: readonly FailingObjectStore[];
  let seeds: number;

  beforeEach(async () => {
    disk = new MemoryObjectStore();
    clock = new FakeClock();
    seeds = 0;
    stores = [0, 1, 2].map(() => new FailingObjectStore(disk));
    servers = await Promise.all(stores.map((store) => start(store)));
    await server(0).handlers.createCollection(context, {
      ...{ name: NAME, dimensions: 2, metric: 'l2', requestId: '' },
    });
  });

  afterEach(async () => {
    await Promise.all(servers.map((app) => app.close()));
  });

  const start = (store: FailingObjectStore): Promise<TestApp> => {
    const scheduler = new FakeScheduler(clock, { automatic: true });
    return openTestApp(store, { ownsStore: false, seed: ++seeds, clock, scheduler });
  };
  const server = (index: number): TestApp => servers[index] as TestApp;
  const store = (index: number): FailingObjectStore => stores[index] as FailingObjectStore;
  const put = (at: number, id: string) =>
    server(at).handlers.upsertRecords(context, {
      ...{ collection: NAME, records: columnsOf([{ id, vector: [1, 1] }]), requestId: '' },
    });
  const count = async (at: number, read: Partial<ReadOptions>): Promise<number> =>
    (
      await server(at).handlers.countRecords(context, {
        ...{ collection: NAME, consistency: 'session', sessionToken: '', ...read },
      })
    ).count;
  const requests = async (at: number, act: () => Promise<unknown>): Promise<string[]> => {
    store(at).calls.length = 0;
    await act();
    return store(at).calls.map(({ operation, key }) => `${operation} ${key.split('/').slice(3).join('/')}`);
  };

  it('scenario 29: a strong read on every server sees each acknowledged write at once', async () => {
    for (let round = 1; round <= 9; round++) {
      await put(round % 3, `r${round}`);
      for (const at of [0, 1, 2]) expect(await count(at, { consistency: 'strong' })).to.equal(round);
    }
  });

  it('scenario 30: a read with a token waits for the write, wherever it was made', async () => {
    expect(await count(1, {})).to.equal(0);
    const { sessionToken } = await put(0, 'a');
    expect(await count(1, { sessionToken })).to.equal(1);
    expect(await count(2, { sessionToken, consistency: 'eventual' })).to.equal(1);
  });

  it('refuse a token that names a write nobody acknowledged', async () => {
    const { sessionToken } = await put(0, 'a');
    const made = sessionToken.replace(/\.1$/, '.9');
    expect(made).to.not.equal(sessionToken);
    await expectReason(count(1, { sessionToken: made }), 'CONDITION_FAILED');
  });

  it('scenario 30: a token of a collection that was deleted and made anew is an error', async () => {
    const { sessionToken } = await put(0, 'a');
    expect(await count(1, { sessionToken })).to.equal(1);
    await server(0).handlers.deleteCollection(context, { collection: NAME, requestId: '' });
    await server(2).handlers.createCollection(context, {
      ...{ name: NAME, dimensions: 2, metric: 'l2', requestId: '' },
    });
    await put(2, 'b');
    await expectReason(count(2, { sessionToken }), 'CONDITION_FAILED');
    // The server that still has the old one open finds out as soon as it has to look.
    expect(await count(1, { consistency: 'strong' })).to.equal(1);
    await expectReason(count(1, { sessionToken }), 'CONDITION_FAILED');
  });

  it('answer eventual reads from memory while the last look is young, and look again when it is not', async () => {
    expect(await count(1, { consistency: 'eventual' })).to.equal(0);
    await put(0, 'a');
    expect(await requests(1, () => count(1, { consistency: 'eventual' }))).to.deep.equal([]);
    expect(await count(1, { consistency: 'eventual' })).to.equal(0);
    clock.advance(STALENESS_MS + 1);
    expect(await count(1, { consistency: 'eventual' })).to.equal(1);
  });

  it('look with one read of the next slot and one of the root when nothing is new', async () => {
    await put(0, 'a');
    expect(await count(1, { consistency: 'strong' })).to.equal(1);
    expect(await requests(1, () => count(1, { consistency: 'strong' }))).to.deep.equal([
      'get w/00000000000000000002',
      'get root',
    ]);
  });

  it('share one look among strong reads that wait for it', async () => {
    await count(1, {});
    const all = await requests(1, () =>
      Promise.all(Array.from({ length: 50 }, () => count(1, { consistency: 'strong' }))),
    );
    // One that had begun when the others came, and one that began after them.
    expect(all.filter((call) => call === 'get root').length).to.equal(2);
  });

  it('answer a deletion of what another server has just written from the newest state', async () => {
    await count(1, {});
    await put(0, 'a');
    const { deleted } = await server(1).handlers.deleteRecords(context, {
      ...{ collection: NAME, ids: ['a'], requestId: '' },
    });
    expect(deleted).to.equal(1);
    expect(await count(0, { consistency: 'strong' })).to.equal(0);
  });

  it('scenario 9: answer a repeated request once, on any server, also after a fold', async () => {
    const write = (at: number) =>
      server(at).handlers.deleteRecords(context, { collection: NAME, ids: ['a'], requestId: 'once' });
    await put(0, 'a');
    await count(1, {});
    await count(2, {});
    expect((await write(0)).deleted).to.equal(1);
    await put(0, 'a');
    expect((await write(1)).deleted).to.equal(1);
    const folder = await server(0).collections.open(context.tenant, NAME);
    await folder.upkeep.flush();
    expect((await write(2)).deleted).to.equal(1);
    expect(await count(2, { consistency: 'strong' })).to.equal(1);
  });

  it('make a collection once when one request comes to several of them, and leave nothing of the others', async () => {
    const create = (at: number, requestId: string) =>
      server(at).handlers.createCollection(context, {
        ...{ name: 'once', dimensions: 2, metric: 'l2', requestId },
      });
    const made = await Promise.all([create(0, 'r1'), create(1, 'r1'), create(2, 'r1')]);
    expect(made[1]).to.deep.equal(made[0]);
    const roots = (await disk.list('n/')).filter(({ key }) => key.endsWith('/root'));
    expect(roots.length).to.equal(2);
    await expectReason(create(1, 'r2'), 'COLLECTION_EXISTS');
  });

  it('let go of a collection that another server deleted, without being asked for it', async () => {
    await put(1, 'a');
    await server(0).handlers.deleteCollection(context, { collection: NAME, requestId: '' });
    store(1).calls.length = 0;
    const held = await server(1).collections.open(context.tenant, NAME);
    await held.upkeep.flush().catch(() => undefined);
    for (let turn = 0; turn < 20; turn++) await settle();
    const open = server(1).collections.open(context.tenant, NAME);
    await expectReason(open, 'COLLECTION_NOT_FOUND');
    clock.advance(60_000);
    store(1).calls.length = 0;
    for (let turn = 0; turn < 50; turn++) await settle();
    expect(store(1).calls).to.deep.equal([]);
  });

  it('fail a strong read, and no other, when storage does not answer', async () => {
    await count(1, {});
    store(1).failAlways('before');
    await expectReason(count(1, { consistency: 'strong' }), 'STORAGE_UNAVAILABLE');
    store(1).heal();
    expect(await count(1, { consistency: 'strong' })).to.equal(0);
  });
});

async function expectReason(run: Promise<unknown>, reason: string): Promise<void> {
  const error = await run.then(
    () => null,
    (caught: unknown) => caught,
  );
  expect(error).to.be.instanceOf(OmenError);
  expect((error as OmenError).reason).to.equal(reason);
}
