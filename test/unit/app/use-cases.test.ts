import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { QueryRequest } from '#server/app/api.js';
import { OmenError } from '#server/core/errors.js';
import type { TestApp, TestRecord } from '../../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../../support/test-app.js';

const context = contextOf();
const READ = { consistency: 'session', sessionToken: '' } as const;
const WORDS: readonly TestRecord[] = [
  { id: 'a', vector: [1, 0], attributes: new Map([['rank', 1n]]) },
  { id: 'b', vector: [0, 1], attributes: new Map([['rank', 2n]]) },
  { id: 'c', vector: [1, 1], attributes: new Map([['rank', 3n]]) },
];

describe('Use cases', () => {
  let store: MemoryObjectStore;
  let app: TestApp;

  beforeEach(async () => {
    store = new MemoryObjectStore();
    app = await openTestApp(store);
    await app.handlers.createCollection(context, {
      name: 'words',
      dimensions: 2,
      metric: 'cosine',
      requestId: '',
    });
  });

  afterEach(() => app.close());

  const upsert = (records: readonly TestRecord[], requestId = '') =>
    app.handlers.upsertRecords(context, { collection: 'words', records: columnsOf(records), requestId });
  const query = (more: Partial<QueryRequest> = {}) =>
    app.handlers.query(context, {
      ...{
        collection: 'words',
        vector: Float32Array.of(1, 0.1),
        topK: 10,
        select: 'all',
        includeVectors: false,
      },
      ...{ params: { exact: false }, ...READ, ...more },
    });
  const settle = async () => (await app.collections.open(context.tenant, 'words')).upkeep.settle();

  for (const [state, prepare] of [
    ['in the log', async () => undefined],
    ['in a segment', settle],
    [
      'read back after a restart',
      async () => {
        await app.close();
        app = await openTestApp(store);
      },
    ],
  ] as const) {
    it(`finds, filters, counts, scans and gets records ${state}`, async () => {
      expect(await upsert(WORDS)).to.include({ inserted: 3, updated: 0, sequenceNumber: 3 });
      await prepare();
      const { hits } = await query();
      expect(hits.map(({ id }) => id)).to.deep.equal(['a', 'c', 'b']);
      expect(hits[0]?.score).to.be.closeTo(0.995, 1e-3);
      expect(hits[0]?.attributes.get('rank')).to.equal(1n);
      const filter = { kind: 'range', field: 'rank', operator: 'gte', value: 2n } as const;
      expect((await query({ filter })).hits.map(({ id }) => id)).to.deep.equal(['c', 'b']);
      expect(await app.handlers.countRecords(context, { collection: 'words', filter, ...READ })).to.include({
        count: 2,
      });
      const { records } = await app.handlers.batchGetRecords(context, {
        ...{ collection: 'words', ids: ['c', 'nobody', 'a'], select: 'all', includeVectors: true, ...READ },
      });
      expect(records.map(({ id, vector }) => [id, [...(vector ?? [])]])).to.deep.equal([
        ['c', [1, 1]],
        ['a', [1, 0]],
      ]);
      expect(await scanAll(app, 2)).to.have.members(['a', 'b', 'c']);
    });

    it(`replaces, patches and deletes records ${state}`, async () => {
      await upsert(WORDS);
      await prepare();
      expect(await upsert([{ id: 'a', vector: [0, -1] }])).to.include({ inserted: 0, updated: 1 });
      const patched = await app.handlers.patchRecords(context, {
        ...{ collection: 'words', requestId: '' },
        patches: [
          {
            id: 'b',
            attributes: new Map<string, bigint | null>([
              ['rank', null],
              ['year', 9n],
            ]),
          },
          { id: 'nobody', attributes: new Map() },
        ],
      });
      expect(patched).to.deep.include({ patched: 1, missingIds: ['nobody'] });
      const filter = { kind: 'eq', field: 'rank', value: 3n } as const;
      const deleted = await app.handlers.deleteRecords(context, {
        collection: 'words',
        ids: [],
        filter,
        requestId: '',
      });
      expect(deleted.deleted).to.equal(1);
      await settle();
      const { hits } = await query();
      expect(hits.map(({ id }) => id)).to.deep.equal(['b', 'a']);
      expect([...(hits[0]?.attributes ?? [])]).to.deep.equal([['year', 9n]]);
    });
  }

  it('gives a repeated request id its first answer, also after flush and restart', async () => {
    const first = await upsert(WORDS, 'request-1');
    await settle();
    await app.handlers.deleteRecords(context, { collection: 'words', ids: ['a'], requestId: '' });
    await app.close();
    app = await openTestApp(store);
    expect(await upsert(WORDS, 'request-1')).to.deep.equal(first);
    expect((await query()).hits.map(({ id }) => id)).to.deep.equal(['c', 'b']);
  });

  it('gives a repeated request its first answer when another process wrote it', async () => {
    await upsert(WORDS);
    const other = await openTestApp(store, { seed: 2 });
    await other.handlers.countRecords(context, { collection: 'words', ...READ });
    const request = {
      collection: 'words',
      records: columnsOf([{ id: 'new', vector: [2, 1] }]),
      requestId: 'request-2',
    };
    const first = await app.handlers.upsertRecords(context, request);
    // The other one learns of it only when its own slot is lost.
    expect(await other.handlers.upsertRecords(context, request)).to.deep.equal(first);
    await other.close();
  });

  it('lets concurrent patches of one record all take effect', async () => {
    await upsert(WORDS);
    await Promise.all(
      ['x', 'y', 'z'].map((name) =>
        app.handlers.patchRecords(context, {
          ...{ collection: 'words', requestId: '' },
          patches: [{ id: 'a', attributes: new Map([[name, true]]) }],
        }),
      ),
    );
    const hit = (await query()).hits[0];
    expect([...(hit?.attributes.keys() ?? [])]).to.have.members(['rank', 'x', 'y', 'z']);
  });

  it('keeps tenants apart', async () => {
    await upsert(WORDS);
    const other = contextOf('other');
    await expectReason('COLLECTION_NOT_FOUND', app.handlers.getCollection(other, { collection: 'words' }));
    expect(
      (await app.handlers.listCollections(other, { pageSize: 0, pageToken: '' })).collections,
    ).to.deep.equal([]);
  });

  it('frees the name of a deleted collection at once', async () => {
    await upsert(WORDS);
    await app.handlers.deleteCollection(context, { collection: 'words', requestId: '' });
    await expectReason('COLLECTION_NOT_FOUND', query());
    await app.handlers.createCollection(context, {
      name: 'words',
      dimensions: 2,
      metric: 'l2',
      requestId: '',
    });
    expect((await query()).hits).to.deep.equal([]);
  });

  it('answers a repeated creation and a repeated deletion, and refuses others', async () => {
    const request = { name: 'more', dimensions: 2, metric: 'l2', requestId: 'create-1' } as const;
    const first = await app.handlers.createCollection(context, request);
    expect(await app.handlers.createCollection(context, request)).to.deep.equal(first);
    const other = { ...request, requestId: 'create-2' };
    await expectReason('COLLECTION_EXISTS', app.handlers.createCollection(context, other));
    const deletion = { collection: 'more', requestId: 'delete-1' };
    await app.handlers.deleteCollection(context, deletion);
    await app.handlers.deleteCollection(context, deletion);
    const again = { collection: 'more', requestId: 'delete-2' };
    await expectReason('COLLECTION_NOT_FOUND', app.handlers.deleteCollection(context, again));
  });

  it('leaves no object of a deleted collection behind', async () => {
    await upsert(WORDS);
    await settle();
    await app.handlers.deleteCollection(context, { collection: 'words', requestId: '' });
    await app.close();
    expect((await store.list('n/')).map(({ key }) => key)).to.deep.equal([]);
    app = await openTestApp(store);
  });

  it('scenarios 10, 12: refuses bad batches whole, naming the place', async () => {
    await expectReason(
      'DUPLICATE_ID',
      upsert([WORDS[0]!, WORDS[1]!, WORDS[0]!]),
      /records\[2\]\.id .* records\[0\]\.id/,
    );
    await expectReason(
      'ZERO_VECTOR',
      upsert([WORDS[0]!, { id: 'z', vector: [0, 0] }]),
      /records\[1\]\.vector/,
    );
    await expectReason('INVALID_VECTOR', upsert([{ id: 'n', vector: [1, NaN] }]), /records\[0\]\.vector/);
    await expectReason(
      'DIMENSION_MISMATCH',
      upsert([{ id: 'd', vector: [1, 2, 3] }]),
      /has 3 numbers, collection "words" takes 2/,
    );
    await expectReason('EMPTY_BATCH', upsert([]));
    await expectReason('INVALID_ID', upsert([{ id: '', vector: [1, 2] }]));
    expect((await query()).hits).to.deep.equal([]);
  });

  it('returns all memory when a collection is closed', async () => {
    const before = app.arena.used;
    await upsert(WORDS);
    await settle();
    await upsert([{ id: 'a', vector: [3, 1] }]);
    await app.close();
    expect(app.arena.used).to.equal(before);
  });
});

async function scanAll(app: TestApp, pageSize: number): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = '';
  do {
    const page = await app.handlers.scanRecords(context, {
      ...{ collection: 'words', select: [], includeVectors: false, pageSize, pageToken, ...READ },
    });
    expect(page.records.length).to.be.at.most(pageSize);
    ids.push(...page.records.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return ids;
}

async function expectReason(reason: string, call: Promise<unknown>, message = /./): Promise<void> {
  try {
    await call;
  } catch (error) {
    expect(error).to.be.instanceOf(OmenError);
    expect((error as OmenError).reason).to.equal(reason);
    expect((error as OmenError).message).to.match(message);
    return;
  }
  expect.fail(`expected ${reason}`);
}
