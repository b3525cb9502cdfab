import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { chooseBackup } from '#server/app/backup/choose-backup.js';
import { CollectionSelection } from '#server/app/backup/selection.js';
import { ApiKeys } from '#server/app/keys.js';
import { Catalog } from '#server/app/log/catalog.js';
import { ObjectLayout } from '#server/app/log/object-layout.js';
import { STORAGE_RETRY } from '#server/app/log/storage-retry.js';
import { collectStore } from '#server/app/maintenance/collect-store.js';
import type { CollectionName, TenantId } from '#server/core/ids.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import { BackupWorld } from '../../../support/backup-world.js';
import { reasonOf, SampleCollection } from '../../../support/sample-collection.js';
import { silentLogger } from '../../../support/log-node.js';
import { SeededRng } from '../../../support/seeded-rng.js';

const HOUR = 60 * 60 * 1000;

describe('A backup of a whole store', () => {
  let world: BackupWorld;

  beforeEach(async () => {
    world = await BackupWorld.open({ retentionMs: 24 * HOUR });
  });

  afterEach(() => world.app.close());

  const work = () => {
    const { clock, scheduler } = world.app;
    return { clock, scheduler, rng: new SeededRng(6), logger: silentLogger };
  };
  const keysOf = (store: ObjectStore) =>
    new ApiKeys({ ...work(), store, digest: (text) => createHash('sha256').update(text).digest('hex') });
  const fill = async (name: string): Promise<SampleCollection> => {
    const collection = await world.create(name);
    for (let i = 0; i < 5; i++) await collection.put(`k${i}`, i);
    await collection.flush();
    await collection.put('tail', 9);
    return collection;
  };

  it('holds API keys, and restores them only when that is asked for', async () => {
    const keys = keysOf(world.store);
    const wish = {
      tenant: 'acme' as TenantId,
      environment: 'live',
      name: '',
      scopes: ['*'],
      collections: null,
    };
    const kept = await keys.create({ ...wish, expiresAtMs: null });
    const disabled = await keys.create({ ...wish, expiresAtMs: null });
    await keys.disable(disabled.key.id);
    await world.backUp();
    const destination = new MemoryObjectStore();
    await world.restore({ destination });
    expect(await keysOf(destination).list()).to.deep.equal([]);
    const outcome = await world.restore({ destination, keys: true });
    expect(outcome).to.deep.include({ kind: 'restored', keys: 3 });
    expect((await keysOf(destination).verify(kept.text)).id).to.equal(kept.key.id);
    expect(await reasonOf(keysOf(destination).verify(disabled.text))).to.equal('KEY_REVOKED');
  });

  it('of some collections holds these alone', async () => {
    await fill('first');
    await fill('second');
    await keysOf(world.store).create({
      ...{ tenant: 'acme' as TenantId, environment: 'live', name: '', scopes: ['*'] },
      ...{ collections: null, expiresAtMs: null },
    });
    const report = await world.backUp({ collections: ['acme/second'] });
    expect(report.collections.map(({ schema }) => schema.name)).to.deep.equal(['second']);
    expect(await world.keys(world.target, '_auth/')).to.deep.equal([]);
    expect(await reasonOf(world.backUp({ collections: ['acme/third'] }))).to.equal('COLLECTION_NOT_FOUND');
    const named = { collections: ['acme/first'], name: 'x' as never };
    expect(await reasonOf(world.restore(named))).to.equal('COLLECTION_NOT_FOUND');
  });

  it('leaves a damaged collection out, says so, and holds the others', async () => {
    const broken = await fill('broken');
    const whole = await fill('whole');
    const { id } = await broken.open();
    const segment = (await world.keys()).find((key) => key.includes(id) && key.includes('/s/')) ?? '';
    const got = await world.store.get(segment);
    if (got.kind !== 'found') throw new Error('no segment');
    const damaged = got.body.slice();
    damaged[300] = (damaged[300] ?? 0) ^ 1;
    await world.store.compareAndSwap(segment, damaged, got.etag, 'ab'.repeat(16));
    const report = await world.backUp();
    expect(report.failed.map(({ name }) => name)).to.deep.equal(['broken']);
    expect(report.failed[0]?.message).to.include(segment);
    expect((await world.verify()).faults).to.deep.equal([]);
    expect(await world.pins()).to.deep.equal([]);
    const app = await world.elsewhere();
    expect(await new SampleCollection(app, 'whole').all()).to.equal(await whole.all());
    await app.close();
  });

  it('refuses a target that holds another history of the same collection', async () => {
    const words = await fill('words');
    // The store is copied as it is, and both go on.
    const twin = new MemoryObjectStore();
    for (const key of await world.keys()) {
      const got = await world.store.get(key);
      if (got.kind === 'found') await twin.putIfAbsent(key, got.body, 'ab'.repeat(16));
    }
    await words.put('here', 1);
    await world.backUp();
    const app = await world.openOn(twin);
    await new SampleCollection(app, 'words').put('here', 2);
    await app.close();
    expect(await reasonOf(world.backUp({ source: twin }))).to.equal('CONDITION_FAILED');
  });

  it('finds the backup that a moment is in', async () => {
    const words = await fill('words');
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      await words.put('day', i);
      world.app.clock.advance(HOUR);
      ids.push((await world.backUp({ history: i === 1 ? 'none' : 'all' })).backupId);
    }
    const { scheduler } = world.app;
    const retry = { scheduler, rng: new SeededRng(2), policy: STORAGE_RETRY };
    const choose = (asOfMs?: number) =>
      chooseBackup(world.target, retry, {
        selection: new CollectionSelection([]),
        ...(asOfMs === undefined ? {} : { asOfMs }),
      });
    const now = world.app.clock.now();
    expect(await choose()).to.equal(ids[2]);
    expect(await choose(now - 2.5 * HOUR)).to.equal(ids[0]);
    expect(await choose(now - 0.5 * HOUR)).to.equal(ids[2]);
    expect(await choose(now + HOUR)).to.equal(ids[2]);
    const empty = chooseBackup(new MemoryObjectStore(), retry, { selection: new CollectionSelection([]) });
    expect(await reasonOf(empty)).to.equal('INVALID_ARGUMENT');
  });
});

describe('A pass of the collector over a whole store', () => {
  it('removes what nothing needs, and a dry run says the same and changes nothing', async () => {
    const world = await BackupWorld.open({ retentionMs: 0, ownsStore: false });
    const kept = await world.create('kept');
    const gone = await world.create('gone');
    for (let i = 0; i < 12; i++) {
      await kept.put(`k${i}`, i);
      await gone.put(`k${i}`, i);
      if (i % 3 === 2) await kept.flush();
    }
    const all = await kept.all();
    await world.app.close();
    const { clock, scheduler } = world.app;
    const deps = { store: world.store, clock, scheduler, rng: new SeededRng(5), logger: silentLogger };
    const options = { selection: new CollectionSelection([]), windowMs: 0 };
    const catalog = new Catalog({ ...deps, layout: new ObjectLayout() });
    await catalog.remove('acme' as TenantId, 'gone' as CollectionName);
    const before = await world.keys();
    const dry = await collectStore(deps, { ...options, dryRun: true });
    expect(await world.keys()).to.deep.equal(before);
    expect(dry.deleted).to.deep.include({ collections: 1 });
    expect(dry.collections[0]?.objects.slot).to.be.greaterThan(0);
    const done = await collectStore(deps, { ...options, dryRun: false });
    expect(done.failed).to.deep.equal([]);
    expect(done.collections).to.deep.equal(dry.collections);
    // The seal is one more version.
    expect(done.deleted.objects).to.equal(dry.deleted.objects + 1);
    const again = await collectStore(deps, { ...options, dryRun: true });
    expect(again.collections[0]?.objects.slot).to.equal(0);
    const after = await world.openOn(world.store);
    expect(await new SampleCollection(after, 'kept').all()).to.equal(all);
    await after.close();
  });
});
