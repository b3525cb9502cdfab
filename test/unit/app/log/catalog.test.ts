import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { Catalog } from '#server/app/log/catalog.js';
import { newCollectionId, ObjectLayout } from '#server/app/log/object-layout.js';
import { OmenError } from '#server/core/errors.js';
import type { CollectionName, TenantId } from '#server/core/ids.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import { FailingObjectStore } from '../../../support/failing-object-store.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler } from '../../../support/fake-scheduler.js';
import { SCHEMA } from '../../../support/log-node.js';
import { SeededRng } from '../../../support/seeded-rng.js';

const ada = 'ada' as TenantId;
const adam = 'adam' as TenantId;
const named = (name: string): CollectionName => name as CollectionName;

function catalogOn(store: ObjectStore, seed = 1): { catalog: Catalog; rng: SeededRng } {
  const rng = new SeededRng(seed);
  const scheduler = new FakeScheduler(new FakeClock(), { automatic: true });
  return { catalog: new Catalog({ store, rng, scheduler, layout: new ObjectLayout() }), rng };
}

async function createIn(
  { catalog, rng }: ReturnType<typeof catalogOn>,
  tenant: TenantId,
  name: string,
): Promise<string> {
  const id = newCollectionId(rng);
  await catalog.create(tenant, named(name), { id, schema: { ...SCHEMA, name } });
  return id;
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof OmenError ? error.reason : String(error);
  }
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

describe('Catalog', () => {
  it('finds collections by name, and keeps tenants apart', async () => {
    const on = catalogOn(new MemoryObjectStore());
    const id = await createIn(on, ada, 'words');
    expect((await on.catalog.get(ada, named('words')))?.id).to.equal(id);
    expect(await on.catalog.get(adam, named('words'))).to.equal(null);
    await createIn(on, adam, 'words');
    const names = async (tenant: TenantId): Promise<string[]> =>
      (await on.catalog.list(tenant, 10)).entries.map((entry) => entry.schema.name);
    expect([await names(ada), await names(adam)]).to.deep.equal([['words'], ['words']]);
    expect((await on.catalog.get(ada, named('words')))?.id).to.equal(id);
  });

  it('lets one of several creators have a name', async () => {
    const store = new MemoryObjectStore();
    const attempts = [1, 2, 3, 4].map((seed) => reasonOf(createIn(catalogOn(store, seed), ada, 'words')));
    expect((await Promise.all(attempts)).sort()).to.deep.equal([
      ...Array<string>(3).fill('COLLECTION_EXISTS'),
      'none',
    ]);
  });

  it('frees a name at once, and keeps the old id for the collector until it is forgotten', async () => {
    const on = catalogOn(new MemoryObjectStore());
    const first = await createIn(on, ada, 'words');
    expect((await on.catalog.remove(ada, named('words')))?.id).to.equal(first);
    expect(await on.catalog.remove(ada, named('words'))).to.equal(null);
    const second = await createIn(on, ada, 'words');
    expect(second).to.not.equal(first);
    const doomed = await all(on.catalog.doomed(0));
    expect(doomed.map(({ id }) => id)).to.deep.equal([first]);
    for (const entry of doomed) await on.catalog.forget(entry);
    expect(await all(on.catalog.doomed(0))).to.deep.equal([]);
    const living = await all(on.catalog.living());
    expect(living.map(({ tenant, entry }) => [tenant, entry.id])).to.deep.equal([[ada, second]]);
  });

  it('removes only the collection that is meant', async () => {
    const on = catalogOn(new MemoryObjectStore());
    const first = await createIn(on, ada, 'words');
    await on.catalog.remove(ada, named('words'));
    const second = await createIn(on, ada, 'words');
    expect(await on.catalog.remove(ada, named('words'), { id: first as never })).to.equal(null);
    expect((await on.catalog.get(ada, named('words')))?.id).to.equal(second);
  });

  it('lists pages in the order of names, without deleted ones', async () => {
    const on = catalogOn(new MemoryObjectStore());
    for (let i = 0; i < 25; i++) await createIn(on, ada, `c${String(i).padStart(2, '0')}`);
    for (const name of ['c00', 'c09', 'c24']) await on.catalog.remove(ada, named(name));
    const seen: string[] = [];
    let pages = 0;
    for (let after: CollectionName | undefined; ;) {
      const page = await on.catalog.list(ada, 10, after);
      seen.push(...page.entries.map(({ schema }) => schema.name));
      pages++;
      if (page.next === null) break;
      after = page.next;
    }
    expect([seen.length, pages, seen[0], seen.at(-1)]).to.deep.equal([22, 3, 'c01', 'c23']);
    expect(seen).to.deep.equal([...seen].sort());
  });

  it('creates and removes exactly once although answers are lost', async () => {
    for (const fault of ['before', 'after'] as const) {
      for (let n = 0; ; n++) {
        const store = new FailingObjectStore(new MemoryObjectStore());
        const on = catalogOn(store);
        store.failAt(n, fault);
        const id = await createIn(on, ada, 'words');
        expect((await on.catalog.remove(ada, named('words')))?.id).to.equal(id);
        expect((await all(on.catalog.doomed(0))).map((entry) => entry.id)).to.deep.equal([id]);
        if (!store.fired) break;
      }
    }
  });
});
