import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Call } from '../support/failing-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeScheduler, settle } from '../support/fake-scheduler.js';
import { reasonOf, SampleCollection } from '../support/sample-collection.js';
import type { TestApp } from '../support/test-app.js';
import { openTestApp } from '../support/test-app.js';

const MINUTE = 60_000;
/** After this long a job of another server is taken to be dead. */
const JOB = 15 * MINUTE;
const NAME = 'words';
const putsSegment = ({ operation, key }: Call): boolean => operation === 'putIfAbsent' && key.includes('/s/');

describe('Jobs of several servers on one store', () => {
  let disk: MemoryObjectStore;
  let store: FailingObjectStore;
  let clock: FakeClock;
  let scheduler: FakeScheduler;
  let one: SampleCollection;
  let other: SampleCollection;

  beforeEach(async () => {
    disk = new MemoryObjectStore();
    store = new FailingObjectStore(disk);
    clock = new FakeClock();
    scheduler = new FakeScheduler(clock);
    one = await SampleCollection.create(await start(store, 1), NAME);
    other = new SampleCollection(await start(disk, 2), NAME);
  });

  const start = (on: FailingObjectStore | MemoryObjectStore, seed: number): Promise<TestApp> =>
    openTestApp(on, { ownsStore: false, clock, scheduler, seed });
  /** Lets time pass, a second at a time, until it is done. */
  const inTime = async <T>(run: Promise<T>): Promise<T> => {
    let ended = false;
    const done = (): void => void (ended = true);
    run.then(done, done);
    for (let second = 0; !ended && second < 60; second++) await scheduler.advance(1000);
    if (!ended) throw new Error('it has not ended within a minute');
    return run;
  };
  const rootOf = async (words: SampleCollection) => (await (await words.open()).rootStore.refresh()).root;
  const segmentObjects = async (): Promise<string[]> =>
    (await disk.list('n/')).map(({ key }) => key).filter((key) => key.includes('/s/'));
  const threeSegments = async (): Promise<string> => {
    for (let segment = 0; segment < 3; segment++) {
      for (const row of [0, 1]) await one.put(`${segment}-${row}`, segment);
      await one.flush();
    }
    return one.all();
  };

  it('scenario 16: one merge has its inputs to itself until it is dead, then it cannot publish', async () => {
    const everything = await threeSegments();
    const upload = store.hold('before', putsSegment);
    const zombie = one.settle();
    await upload.reached;
    expect(await reasonOf(inTime(other.settle())), 'while it may be alive').to.equal('STORAGE_UNAVAILABLE');
    expect((await rootOf(other)).segments.length).to.equal(3);
    clock.advance(JOB + 1);
    await inTime(other.settle());
    const { segments, version } = await rootOf(other);
    expect(segments.length).to.equal(1);

    upload.release();
    await inTime(zombie.catch(() => undefined));
    const after = await rootOf(one);
    expect(after.segments).to.deep.equal(segments);
    expect(after.jobs).to.deep.equal([]);
    expect(after.version, 'nothing was published').to.be.at.most(version + 1);
    await other.put('late', 9);
    for (const words of [one, other, new SampleCollection(await start(disk, 3), NAME)]) {
      expect(await words.count({ consistency: 'strong' })).to.equal(7);
      expect(await words.all()).to.equal(`${everything} late=9`);
    }
    // What the zombie has uploaded goes with the next pass.
    expect((await segmentObjects()).length).to.be.greaterThan(1);
    await inTime(other.settle());
    await scheduler.advance(5 * MINUTE);
    expect((await segmentObjects()).length).to.equal(1);
  });

  it('scenario 46: what a dead server wrote is folded by the next one that has the collection open', async () => {
    await one.put('a', 1);
    store.failAlways('killed-before');
    expect(await other.all()).to.equal('a=1');
    expect((await rootOf(other)).walFloor).to.equal(0);
    await scheduler.advance(JOB + MINUTE);
    expect((await rootOf(other)).walFloor).to.equal(1);
    expect(await other.all()).to.equal('a=1');
  });

  it('scenario 46: a server that dies while it folds holds up others for 15 minutes and no longer', async () => {
    await one.put('a', 1);
    store.failAt(0, 'killed-before', putsSegment);
    void one.flush().catch(() => undefined);
    await settle();
    await other.put('b', 2);
    expect((await rootOf(other)).jobs.length).to.equal(1);
    await other.flush().catch(() => undefined);
    await scheduler.advance(JOB - MINUTE);
    expect((await rootOf(other)).walFloor).to.equal(0);
    await scheduler.advance(2 * MINUTE);
    expect(await rootOf(other)).to.deep.include({ walFloor: 2, jobs: [] });
    expect(await other.all()).to.equal('a=1 b=2');
    expect(scheduler.pending, 'timers of a collection at rest').to.equal(0);
  });
});
