import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { Catalog } from '#server/app/log/catalog.js';
import { ObjectLayout } from '#server/app/log/object-layout.js';
import { RootStore } from '#server/app/log/root-store.js';
import { collectDeleted } from '#server/app/maintenance/collect-deleted.js';
import { collectGarbage } from '#server/app/maintenance/collect-garbage.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import { BackupWorld } from '../../../support/backup-world.js';
import { FailingObjectStore } from '../../../support/failing-object-store.js';
import { settle } from '../../../support/fake-scheduler.js';
import { silentLogger } from '../../../support/log-node.js';
import { reasonOf, SampleCollection } from '../../../support/sample-collection.js';
import { SeededRng } from '../../../support/seeded-rng.js';

const HOUR = 60 * 60 * 1000;
const FAULTS = ['before', 'after', 'full', 'killed-before', 'killed-after'] as const;

describe('Backups and restores on storage that fails', () => {
  let world: BackupWorld;
  let words: SampleCollection;

  beforeEach(async () => {
    world = await BackupWorld.open({ retentionMs: 24 * HOUR, foldSlots: 4 });
    words = await world.create('words');
    for (let i = 0; i < 10; i++) {
      await words.put(`k${i % 4}`, i);
      if (i % 4 === 3) await words.flush();
      world.app.clock.advance(HOUR);
    }
    await words.snapshot('kept');
    await words.put('tail', 1);
  });

  afterEach(() => world.app.close());

  const work = (store: ObjectStore) => {
    const { clock, scheduler } = world.app;
    return { store, clock, scheduler, rng: new SeededRng(9), logger: silentLogger };
  };

  /** A run that may never end, because its process died. */
  async function unlessDead(run: Promise<unknown>): Promise<unknown> {
    const dead = (async () => {
      for (let turn = 0; turn < 60; turn++) await settle();
      return 'dead';
    })();
    return Promise.race([run.catch((error: unknown) => error), dead]);
  }

  for (const side of ['source', 'target'] as const) {
    it(`a backup is whole or not there at whatever call its ${side} fails; pins go or expire`, async () => {
      for (const fault of FAULTS) {
        for (let n = 0; ; n++) {
          const target = new MemoryObjectStore();
          const failing = new FailingObjectStore(side === 'source' ? world.store : target);
          // A disk that is full does not keep a store from removing something.
          failing.failAt(n, fault, ({ operation }) => fault !== 'full' || operation !== 'delete');
          await unlessDead(world.backUp({ target, [side]: failing }));
          const [record] = await world.keys(target, '_backups/');
          if (record !== undefined) {
            const { faults } = await world.verify(record.slice('_backups/'.length), false, target);
            expect(faults, `${fault} at ${n}`).to.deep.equal([]);
          }
          if (!fault.startsWith('killed')) expect(await world.pins(), `${fault} at ${n}`).to.deep.equal([]);
          if (!failing.fired) break;
        }
      }
      world.app.clock.advance(25 * HOUR);
      const { id } = await words.open();
      const inside = { ...work(world.store), layout: new ObjectLayout().collection(id) };
      await collectGarbage({ ...inside, rootStore: new RootStore(inside) }, { windowMs: 24 * HOUR });
      expect(await world.pins()).to.deep.equal([]);
    });
  }

  it('a restored collection is whole or not there at whatever call the destination fails', async () => {
    await world.backUp();
    const [all, then] = [await words.all(), await words.all({ kind: 'snapshot', name: 'kept' })];
    for (const fault of FAULTS) {
      for (let n = 0; ; n++) {
        const destination = new MemoryObjectStore();
        const failing = new FailingObjectStore(destination);
        failing.failAt(n, fault);
        await unlessDead(world.restore({ destination: failing }));
        const app = await world.openOn(destination);
        const restored = new SampleCollection(app, 'words');
        const what = `${fault} at ${n}`;
        if ((await reasonOf(restored.all())) === 'none') {
          expect(await restored.all(), what).to.equal(all);
          expect(await restored.all({ kind: 'snapshot', name: 'kept' }), what).to.equal(then);
        } else {
          // What is left of it is found and removed, and the name is free.
          world.app.clock.advance(2 * HOUR);
          const layout = new ObjectLayout();
          const deps = { ...work(destination), layout };
          for (let pass = 0; pass < 3; pass++) {
            await collectDeleted({ ...deps, catalog: new Catalog(deps) });
          }
          expect(await world.keys(destination, 'n/'), what).to.deep.equal([]);
          expect((await world.restore({ destination })).kind, what).to.equal('restored');
        }
        await app.close();
        if (!failing.fired) break;
      }
    }
  });

  it('damage that comes between the look and the copy gives no collection', async () => {
    await world.backUp();
    const target = new FailingObjectStore(world.target, { rng: new SeededRng(3) });
    for (const fault of ['flipped', 'truncated'] as const) {
      const reads = target.calls.length;
      for (let n = 0; ; n++) {
        const destination = new MemoryObjectStore();
        target.failAt(n, fault, ({ operation }) => operation === 'get');
        const outcome = await world.restore({ destination, target }).catch(() => null);
        const names = await world.keys(destination, '_catalog/');
        const app = await world.openOn(destination);
        const found = await reasonOf(new SampleCollection(app, 'words').all());
        await app.close();
        expect(found, `${fault} at ${n}`).to.equal(
          outcome?.kind === 'restored' ? 'none' : 'COLLECTION_NOT_FOUND',
        );
        if (outcome?.kind === 'refused') expect(names).to.deep.equal([]);
        if (!target.fired) break;
      }
      expect(target.calls.length).to.be.greaterThan(reads);
      target.heal();
    }
  });
});

describe('A backup beside a busy server', () => {
  it('is one state of those between its begin and its end', async () => {
    let writesBeside = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const rng = new SeededRng(seed);
      const windowMs = seed % 3 === 0 ? 0 : HOUR;
      const world = await BackupWorld.open({ retentionMs: windowMs, foldSlots: 3, ownsStore: false });
      const words = await world.create('words');
      const states: string[] = [''];
      const write = async (): Promise<void> => {
        const id = `k${rng.below(8)}`;
        if (rng.chance(0.2)) await words.remove(id);
        else await words.put(id, states.length);
        states.push(await words.all());
        world.app.clock.jump(rng.below(20 * 60 * 1000));
        if (rng.chance(0.3)) await words.flush();
        if (rng.chance(0.2)) await words.settle();
      };
      for (let i = 0; i < 15; i++) await write();
      const { scheduler, clock } = world.app;
      const slow = { rng, scheduler, delayMsMax: 300 };
      const source = new FailingObjectStore(world.store, slow);
      const from = states.length - 1;
      let running = true;
      const backup = world.backUp({ source }).finally(() => (running = false));
      const { id } = await words.open();
      const inside = {
        ...{ store: new FailingObjectStore(world.store, slow), clock, scheduler, rng },
        ...{ logger: silentLogger, layout: new ObjectLayout().collection(id) },
      };
      const collector = (async () => {
        while (running) {
          await collectGarbage({ ...inside, rootStore: new RootStore(inside) }, { windowMs });
          await scheduler.sleep(rng.below(400));
        }
      })();
      while (running) {
        await write();
        await scheduler.sleep(rng.below(400));
      }
      await collector;
      const report = await backup;
      writesBeside += states.length - 1 - from;
      expect((await world.verify()).faults, `seed ${seed}`).to.deep.equal([]);
      const app = await world.elsewhere();
      const seen = await new SampleCollection(app, 'words').all();
      const at = states.indexOf(seen, from);
      expect(at, `seed ${seed}: ${report.backupId}`).to.be.within(from, states.length - 1);
      await app.close();
      await world.app.close();
    }
    expect(writesBeside).to.be.greaterThan(100);
  });
});
