import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { SampleCollection } from '../support/sample-collection.js';
import { openTestApp } from '../support/test-app.js';

const EVERYTHING = 'a=1 b=22 c=3 d=4 e=55';

describe('A query during folds and merges', () => {
  let store: FailingObjectStore;
  let words: SampleCollection;

  beforeEach(async () => {
    store = new FailingObjectStore(new MemoryObjectStore());
    words = await SampleCollection.create(await openTestApp(store, { automatic: false }), 'words');
  });

  afterEach(() => words.app.close());

  /** Stops `task` before and after each of its calls and looks at the collection there. */
  async function atEveryCall(
    task: () => Promise<void>,
    look: (call: string) => Promise<void>,
  ): Promise<number> {
    let calls = 0;
    let ended = false;
    const run = task().finally(() => (ended = true));
    while (!ended) {
      for (const when of ['before', 'after'] as const) {
        const hold = store.hold(when, () => true);
        const call = await Promise.race([hold.reached, run.then(() => null)]);
        if (call !== null) {
          calls++;
          await look(`${when} ${call.operation} ${call.key}`);
        }
        hold.release();
      }
    }
    await run;
    return calls;
  }

  async function expectEverything(call: string): Promise<void> {
    expect(await words.all(), call).to.equal(EVERYTHING);
    expect(await words.count(), call).to.equal(5);
    expect(await words.nearest(22), call).to.deep.equal(['b', 'd', 'c']);
  }

  it('scenario 31: neither misses nor doubles a record while a segment takes the place of the log', async () => {
    for (const [id, value] of [
      ['a', 1],
      ['b', 2],
      ['e', 5],
    ] as const)
      await words.put(id, value);
    await words.flush();
    for (const [id, value] of [
      ['b', 22],
      ['c', 3],
      ['x', 9],
      ['d', 4],
      ['e', 55],
    ] as const)
      await words.put(id, value);
    await words.remove('x');
    expect(await atEveryCall(() => words.flush(), expectEverything)).to.be.greaterThan(10);
    await expectEverything('afterwards');
  });

  it('scenario 32: sees one state while segments are replaced, and an older one for as long as it is read', async () => {
    for (const [id, value] of [
      ['a', 1],
      ['b', 2],
      ['c', 30],
      ['e', 5],
    ] as const)
      await words.put(id, value);
    await words.flush();
    for (const [id, value] of [
      ['b', 22],
      ['c', 3],
      ['x', 9],
    ] as const)
      await words.put(id, value);
    await words.flush();
    for (const [id, value] of [
      ['d', 4],
      ['e', 55],
    ] as const)
      await words.put(id, value);
    await words.remove('x');
    await words.flush();
    const { state } = await words.open();
    const before = state.snapshot();
    const idsOf = (): string[] =>
      before.sources.flatMap((source) => [source.idOf(0), source.idOf(1), String(source.vectorOf(1))]);
    const seen = idsOf();
    expect(await atEveryCall(() => words.settle(), expectEverything)).to.be.greaterThan(10);
    expect(state.segments.length).to.equal(1);
    await words.put('a', 100);
    await words.settle();
    expect(idsOf(), 'the snapshot from before').to.deep.equal(seen);
    before.release();
  });

  it('scenario 20: finds a record once that stands in three segments and in the log', async () => {
    for (let value = 1; value <= 4; value++) {
      await words.put('a', value);
      await words.put(`b${value}`, 10 + value);
      if (value < 4) await words.flush();
    }
    const { state } = await words.open();
    expect(state.segments.length).to.equal(3);
    const newest = 'a=4 b1=11 b2=12 b3=13 b4=14';
    for (const shape of ['three segments and the log', 'four segments', 'one segment'] as const) {
      if (shape === 'four segments') await words.flush();
      if (shape === 'one segment') await words.settle();
      expect(await words.all(), shape).to.equal(newest);
      expect(await words.nearest(1), shape).to.deep.equal(['a', 'b1', 'b2']);
      expect(await words.count(), shape).to.equal(5);
    }
  });
});
