// When the last backup was made, as the server of the store tells it.
import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { FailingObjectStore } from '../../../support/failing-object-store.js';
import { settle } from '../../../support/fake-scheduler.js';
import { BackupWorld } from '../../../support/backup-world.js';
import { RecordedMetrics } from '../../../support/recorded-metrics.js';
import type { TestApp } from '../../../support/test-app.js';
import { contextOf, openTestApp } from '../../../support/test-app.js';

const PREFIX = '_backup_marks/';

describe('The time of the last backup', () => {
  let world: BackupWorld;
  let store: FailingObjectStore;
  let metrics: RecordedMetrics;
  let server: TestApp;
  beforeEach(async () => {
    world = await BackupWorld.open();
    await (await world.create('words')).put('a', 1);
    await open(60_000);
  });
  afterEach(async () => {
    await server.close();
    await world.app.close();
  });

  async function open(backupMarkMs: number): Promise<void> {
    metrics = new RecordedMetrics();
    store = new FailingObjectStore(world.store);
    const { clock } = world.app;
    server = await openTestApp(store, { ownsStore: false, metrics, clock, seed: 5, backupMarkMs });
    store.calls.length = 0;
  }
  async function shown(): Promise<Record<string, number | undefined>> {
    await metrics.scrape();
    await settle();
    await metrics.scrape();
    return {
      success: metrics.value('omendb_backup_last_success_timestamp_seconds', {}),
      attempt: metrics.value('omendb_backup_last_attempt_timestamp_seconds', {}),
      took: metrics.value('omendb_backup_duration_seconds', {}),
    };
  }
  const nowSeconds = (): number => Math.floor(world.app.clock.now()) / 1000;
  const marks = (): Promise<string[]> => world.keys(world.store, PREFIX);

  it('is not told before it is known, and zero when there is none', async () => {
    await metrics.scrape();
    expect(metrics.value('omendb_backup_last_success_timestamp_seconds', {})).to.equal(undefined);
    await settle();
    expect(await shown()).to.deep.equal({ success: 0, attempt: 0, took: 0 });
  });

  it('is that of the newest backup of everything, with how long it took', async () => {
    for (let backup = 0; backup < 2; backup++) {
      world.app.clock.advance(60_000);
      const begunAt = nowSeconds();
      await world.backUp({ onProgress: () => world.app.clock.advance(500) });
      const endedAt = nowSeconds();
      const { attempt, success, took = 0 } = await shown();
      expect(attempt).to.equal(begunAt);
      expect(success).to.be.within(begunAt + 0.5, endedAt);
      expect(took).to.be.within(0.5, endedAt - begunAt);
    }
  });

  it('stays when a later backup fails, which shows as an attempt', async () => {
    await world.backUp();
    const { success } = await shown();
    world.app.clock.advance(3_600_000);
    const target = new FailingObjectStore(world.target);
    target.failAlways('full');
    const begunAt = nowSeconds();
    await world.backUp({ target }).catch(() => undefined);
    expect(await shown()).to.deep.include({ success, attempt: begunAt });
  });

  it('does not change with a backup of some collections, or of one that leaves out what is damaged', async () => {
    await world.backUp({ collections: ['acme/words'] });
    expect(await shown()).to.deep.equal({ success: 0, attempt: 0, took: 0 });
    const damaged = await world.create('damaged');
    await damaged.put('a', 1);
    await damaged.flush();
    for (const key of await world.keys(world.store, 'n/'))
      if (key.includes('/s/')) await world.store.delete(key);
    const begunAt = nowSeconds();
    const { failed } = await world.backUp();
    expect(failed.length).to.equal(1);
    world.app.clock.advance(60_000);
    expect(await shown()).to.deep.include({ success: 0, attempt: begunAt });
  });

  it('is looked at once in a while and not at every scrape, and not when nobody asks', async () => {
    const lists = (): number => store.calls.filter(({ key }) => key === PREFIX).length;
    world.app.clock.advance(3_600_000);
    expect(store.calls.length).to.equal(0);
    for (let scrape = 0; scrape < 5; scrape++) await shown();
    // A listing is over at an empty page.
    expect(lists()).to.equal(1);
    world.app.clock.advance(60_000);
    for (let scrape = 0; scrape < 5; scrape++) await shown();
    expect(lists()).to.equal(2);
  });

  it('stays as it was when it cannot be looked at, and that is a failure in the background', async () => {
    await world.backUp();
    const before = await shown();
    world.app.clock.advance(60_000);
    store.failAlways('before', ({ key }) => key.startsWith(PREFIX));
    expect(await shown()).to.deep.equal(before);
    expect(metrics.series('omendb_background_failures_total')).to.deep.equal({
      '{"task":"backup_mark","type":"storage"}': 1,
    });
  });

  it('needs two marks, however many backups there were', async () => {
    for (let backup = 0; backup < 4; backup++) {
      world.app.clock.advance(60_000);
      await world.backUp();
    }
    expect((await marks()).map((key) => key.replace(/.*-/, ''))).to.deep.equal(['begun', 'ended']);
  });

  it('takes no backup: one whose mark cannot be left is whole all the same', async () => {
    const source = new FailingObjectStore(world.store);
    source.failAlways('before', ({ key }) => key.startsWith(PREFIX));
    await world.backUp({ source });
    expect((await world.verify()).faults).to.deep.equal([]);
    expect(await shown()).to.deep.equal({ success: 0, attempt: 0, took: 0 });
  });

  it('is not copied with a backup, and not brought back by one', async () => {
    await world.backUp();
    await world.backUp();
    const destination = new MemoryObjectStore();
    await world.restore({ destination });
    expect(await world.keys(world.target, PREFIX)).to.deep.equal([]);
    expect(await world.keys(destination, PREFIX)).to.deep.equal([]);
  });

  it('is none of the business of those who list collections or remove what is left of them', async () => {
    await world.backUp();
    const before = await marks();
    const request = { collection: 'words', requestId: '' };
    await world.app.handlers.deleteCollection(contextOf(), request);
    const { collections } = await world.app.handlers.listCollections(contextOf(), {
      ...{ pageSize: 100, pageToken: '' },
    });
    await world.app.close();
    expect(collections).to.deep.equal([]);
    expect(await marks()).to.deep.equal(before);
    expect(before.length).to.equal(2);
  });
});
