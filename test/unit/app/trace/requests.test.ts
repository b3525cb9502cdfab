import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { QueryRequest, RequestContext } from '#server/app/api.js';
import { RecordedSpan } from '#support/recorded-span.js';
import type { TestApp } from '#support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '#support/test-app.js';

const READ = { consistency: 'session', sessionToken: '' } as const;
const QUERY: QueryRequest = {
  ...READ,
  ...{ collection: 'words', vector: Float32Array.of(1, 0), topK: 2, select: 'all', includeVectors: false },
  params: { exact: false },
};
const RECORDS = columnsOf([
  { id: 'a', vector: [1, 0] },
  { id: 'b', vector: [0, 1] },
  { id: 'c', vector: [1, 1] },
]);

function traced(): { readonly context: RequestContext; readonly span: RecordedSpan } {
  const span = new RecordedSpan();
  return { span, context: { ...contextOf(), span } };
}

describe('A request that is traced', () => {
  let store: MemoryObjectStore;
  let app: TestApp;

  beforeEach(async () => {
    store = new MemoryObjectStore();
    app = await openTestApp(store, { retentionMs: 3_600_000 });
    await app.handlers.createCollection(contextOf(), {
      ...{ name: 'words', dimensions: 2, metric: 'l2', requestId: '' },
    });
    await app.handlers.upsertRecords(contextOf(), { collection: 'words', records: RECORDS, requestId: '' });
  });
  afterEach(() => app.close());

  it('has its search with what was compared', async () => {
    const { context, span } = traced();
    await app.handlers.query(context, QUERY);
    expect(span.tree()).to.deep.equal(['pool.acquire', 'engine.search']);
    expect(span.values).to.deep.equal({ 'omendb.k': 2 });
    expect(span.parts[1]?.values).to.deep.equal({
      ...{ 'omendb.parts': 1, 'omendb.candidates': 3, 'omendb.results': 2, 'omendb.exact': true },
    });
  });

  it('has its walk through all records', async () => {
    const { context, span } = traced();
    const page = { pageSize: 10, pageToken: '', select: 'all', includeVectors: false } as const;
    await app.handlers.scanRecords(context, { ...READ, ...page, collection: 'words' });
    expect(span.tree()).to.deep.equal(['pool.acquire', 'engine.match']);
  });

  it('has the reason why no engine took its task', async () => {
    const { context, span } = traced();
    const aborted = { ...context, signal: AbortSignal.abort(new Error('gone')) };
    const thrown: unknown = await app.handlers.query(aborted, QUERY).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(Error);
    expect(span.tree()).to.deep.equal(['pool.acquire']);
    expect(span.parts[0]?.values).to.have.property('error.type');
  });

  it('has the stages of its commit, also when it shares a slot', async () => {
    const [one, other] = [traced(), traced()];
    const write = (context: RequestContext): Promise<unknown> =>
      app.handlers.upsertRecords(context, { collection: 'words', records: RECORDS, requestId: '' });
    await Promise.all([write(one.context), write(other.context)]);
    for (const { span } of [one, other]) {
      expect(span.tree()).to.deep.equal(['commit', '  commit.queue', '  commit.put', '  commit.check']);
    }
  });

  it('has the calls to the store that opening a collection takes, and none of later requests', async () => {
    const next = await openTestApp(store, { seed: 2 });
    const [first, other] = [traced(), traced()];
    const joined = next.handlers.query(first.context, QUERY);
    await Promise.all([joined, next.handlers.query(other.context, QUERY)]);
    const tree = first.span.tree();
    expect(tree.slice(0, 2)).to.deep.equal(['collection.open', '  catalog.get']);
    expect(tree.slice(-2)).to.deep.equal(['pool.acquire', 'engine.search']);
    const between = new Set(tree.slice(2, -2));
    expect([...between].sort()).to.deep.equal(['  storage.get', '  storage.list']);
    // Who waits for the same opening sees that it waited.
    expect(other.span.tree()).to.deep.equal(['collection.open', 'pool.acquire', 'engine.search']);
    const before = first.span.tree().length;
    await next.handlers.upsertRecords(contextOf(), { collection: 'words', records: RECORDS, requestId: '' });
    expect(first.span.tree()).to.have.lengthOf(before);
    await next.close();
  });

  it('has the look at what other servers wrote, when it waited for one', async () => {
    const shared = await openTestApp(store, { ownsStore: false, seed: 3 });
    await shared.handlers.query(contextOf(), QUERY);
    const { context, span } = traced();
    await shared.handlers.query(context, { ...QUERY, consistency: 'strong' });
    expect(span.tree()).to.deep.equal(['collection.verify', 'pool.acquire', 'engine.search']);
    await shared.close();
  });

  it('has the reading of a moment of the past', async () => {
    const { context, span } = traced();
    await app.handlers.query(context, { ...QUERY, asOf: { kind: 'sequence', sequence: 1 } });
    expect(span.tree()[0]).to.equal('collection.past');
    expect(span.parts[0]?.endMs).to.not.equal(undefined);
  });
});
