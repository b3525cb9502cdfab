// What is counted about commits, and about work that no request waits for.
import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { LabelsOf } from '#server/core/metrics/catalog.js';
import { FailingObjectStore } from '../../../support/failing-object-store.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler, settle } from '../../../support/fake-scheduler.js';
import { RecordedMetrics } from '../../../support/recorded-metrics.js';
import { SampleCollection } from '../../../support/sample-collection.js';
import type { TestApp } from '../../../support/test-app.js';
import { openTestApp } from '../../../support/test-app.js';

describe('What the server counts in the background', () => {
  let disk: MemoryObjectStore;
  let store: FailingObjectStore;
  let clock: FakeClock;
  let metrics: RecordedMetrics;
  let app: TestApp;
  let words: SampleCollection;
  beforeEach(async () => {
    disk = new MemoryObjectStore();
    store = new FailingObjectStore(disk);
    clock = new FakeClock();
    metrics = new RecordedMetrics();
    const scheduler = new FakeScheduler(clock, { automatic: true });
    app = await openTestApp(store, { ownsStore: false, clock, scheduler, metrics });
    words = await SampleCollection.create(app, 'words');
  });
  afterEach(() => app.close());

  const stage = (name: LabelsOf<'omendb_commit_seconds'>['stage']): readonly number[] =>
    metrics.observed('omendb_commit_seconds', { stage: name });
  const failures = (): Readonly<Record<string, number>> => metrics.series('omendb_background_failures_total');

  it('is every stage of every commit, once', async () => {
    await words.put('a', 1);
    await words.put('b', 2);
    for (const name of ['queue', 'put', 'check'] as const) expect(stage(name).length, name).to.equal(2);
    expect(metrics.series('omendb_commit_conflicts_total')).to.deep.equal({});
  });

  it('is how long a commit waited for the one before it', async () => {
    await words.put('a', 1);
    const held = store.hold('before', ({ operation }) => operation === 'putIfAbsent');
    const writes = [words.put('b', 2), words.put('c', 3)];
    await held.reached;
    const late = words.put('d', 4);
    await settle();
    clock.advance(250);
    held.release();
    await Promise.all([...writes, late]);
    const [, second = 0] = stage('put');
    expect(second).to.be.at.least(0.25);
    expect(stage('put')).to.deep.equal([0, second, 0]);
    expect(stage('queue')).to.deep.equal([0, 0, second]);
  });

  it('is a slot that another server was faster to write', async () => {
    await words.put('a', 1);
    const other = await openTestApp(disk, { ownsStore: false, clock, seed: 2 });
    await new SampleCollection(other, 'words').put('b', 2);
    await words.put('c', 3);
    expect(metrics.value('omendb_commit_conflicts_total', { kind: 'lost' })).to.equal(1);
    await other.close();
  });

  it('is how long it takes to open a collection', async () => {
    await words.put('a', 1);
    expect(metrics.observed('omendb_recovery_seconds', {}).length).to.equal(1);
  });

  it('is every flush and merge, with its time', async () => {
    for (let round = 0; round < 5; round++) {
      await words.put(`${round}`, round);
      await words.flush();
    }
    await words.settle();
    const flushed = metrics.observed('omendb_compaction_duration_seconds', { task: 'flush' }).length;
    const merged = metrics.observed('omendb_compaction_duration_seconds', { task: 'merge' }).length;
    expect(metrics.value('omendb_compactions_total', { task: 'flush', outcome: 'ok' })).to.equal(flushed);
    expect(metrics.value('omendb_compactions_total', { task: 'merge', outcome: 'ok' })).to.equal(merged);
    expect(flushed).to.equal(5);
    expect(merged).to.be.greaterThan(0);
    await app.close();
    expect(metrics.value('omendb_garbage_objects_total', {})).to.be.greaterThan(0);
    expect(failures()).to.deep.equal({});
  });

  it('is a flush that fails: as the end of a job, and as a failure with its type', async () => {
    await words.put('a', 1);
    const isSegment = ({ key }: { readonly key: string }): boolean => key.includes('/s/');
    store.failAlways('full', isSegment);
    await words.flush().catch((error: unknown) => error);
    store.heal();
    expect(metrics.value('omendb_compactions_total', { task: 'flush', outcome: 'error' })).to.be.at.least(1);
    expect(Object.keys(failures())).to.deep.equal(['{"task":"flush","type":"storage"}']);
  });

  it('is a flush that another server is at as a conflict, and as no failure', async () => {
    await words.put('a', 1);
    const other = await openTestApp(disk, { ownsStore: false, clock, seed: 2 });
    const theirs = new SampleCollection(other, 'words');
    await theirs.count({ consistency: 'strong' });
    const held = store.hold('before', ({ key }) => key.includes('/s/'));
    const flush = words.flush().catch((error: unknown) => error);
    await held.reached;
    await theirs.flush().catch((error: unknown) => error);
    held.release();
    await flush;
    await other.close();
    expect(failures()).to.deep.equal({});
  });

  it('is a pass of the collector that fails', async () => {
    await words.put('a', 1);
    store.failAlways('before', ({ operation }) => operation === 'list');
    await words.flush();
    await settle();
    store.heal();
    expect(failures()).to.have.property('{"task":"collect","type":"storage"}').that.is.at.least(1);
  });

  it('is a look at the log that fails and that no read waits for', async () => {
    await words.put('a', 1);
    clock.advance(3000);
    store.failAlways('before', ({ operation }) => operation === 'get');
    await words.count();
    await app.scheduler.advance(60_000);
    store.heal();
    expect(failures()).to.deep.equal({ '{"task":"follow","type":"storage"}': 1 });
  });

  it('is a mistake of the server as an internal failure', async () => {
    await words.put('a', 1);
    const list = disk.list.bind(disk);
    disk.list = async (prefix, startAfter) => {
      if (prefix.startsWith('n/')) throw new TypeError('a mistake');
      return list(prefix, startAfter);
    };
    await words.flush();
    await settle();
    disk.list = list;
    expect(Object.keys(failures())).to.deep.equal(['{"task":"collect","type":"internal"}']);
  });
});
