import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Fault } from '../support/failing-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import type { TestApp } from '../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../support/test-app.js';

const FAULTS: readonly Fault[] = ['before', 'after', 'full', 'killed-before', 'killed-after'];
const BATCHES = 6;
const BATCH = 5;
/** Of simulated time. */
const LONGER_THAN_ANY_CALL_MS = 10 * 60_000;
const NAME = 'faulty';
const context = contextOf();

describe('The application on storage that fails at one call', function () {
  this.timeout(120_000);

  for (const fault of FAULTS) {
    it(`scenarios 7, 18: keeps what it acknowledged, and the rest whole or not at all, wherever the fault "${fault}" falls`, async () => {
      let calls = 0;
      for (; ; calls++) {
        const disk = new MemoryObjectStore();
        await prepare(disk);
        const store = new FailingObjectStore(disk);
        const app = await openTestApp(store, { foldSlots: 2, clusterFromRows: 8 });
        store.failAt(calls, fault);
        const outcome = await Promise.race([write(app), neverAnswers(app)]);
        const fired = store.fired;
        // What is still under way in a killed process reaches storage no more.
        store.failAlways('killed-before');
        await verify(disk, outcome, `${fault} at call ${calls}`);
        if (!fired) break;
      }
      expect(calls, 'calls that could fail').to.be.greaterThan(40);
    });
  }
});

/** Batches by number. A batch that failed may have been written all the same. */
interface Outcome {
  readonly acknowledged: Set<number>;
}

async function prepare(disk: MemoryObjectStore): Promise<void> {
  const app = await openTestApp(disk);
  const schema = { name: NAME, dimensions: 2, metric: 'l2', requestId: '' } as const;
  await app.handlers.createCollection(context, schema);
  await app.close();
}

const outcomes = new WeakMap<TestApp, Outcome>();

async function write(app: TestApp): Promise<Outcome> {
  const outcome: Outcome = { acknowledged: new Set() };
  outcomes.set(app, outcome);
  for (let batch = 0; batch < BATCHES; batch++) {
    const records = Array.from({ length: BATCH }, (_, index) => ({
      id: `${batch}-${index}`,
      vector: [batch, index],
    }));
    try {
      await app.handlers.upsertRecords(context, {
        collection: NAME,
        records: columnsOf(records),
        requestId: '',
      });
      outcome.acknowledged.add(batch);
    } catch {
      // Whole or not at all: `verify` looks.
    }
  }
  const collection = await app.collections.open(context.tenant, NAME).catch(() => null);
  await collection?.upkeep.settle().catch(() => undefined);
  return outcome;
}

/** What was acknowledged before a process stopped answering. */
async function neverAnswers(app: TestApp): Promise<Outcome> {
  await app.scheduler.sleep(LONGER_THAN_ANY_CALL_MS);
  return outcomes.get(app) ?? { acknowledged: new Set() };
}

async function verify(disk: MemoryObjectStore, outcome: Outcome, when: string): Promise<void> {
  const app = await openTestApp(disk, { seed: 2 });
  const page = await app.handlers.scanRecords(context, {
    ...{ collection: NAME, select: [], includeVectors: false, pageSize: 1000, pageToken: '' },
    ...{ consistency: 'session', sessionToken: '' },
  });
  const counts = new Map<number, number>();
  for (const { id } of page.records) {
    const batch = Number(id.split('-')[0]);
    counts.set(batch, (counts.get(batch) ?? 0) + 1);
  }
  for (let batch = 0; batch < BATCHES; batch++) {
    const allowed = outcome.acknowledged.has(batch) ? [BATCH] : [0, BATCH];
    expect(counts.get(batch) ?? 0, `records of batch ${batch}, ${when}`).to.be.oneOf(allowed);
  }
  await (await app.collections.open(context.tenant, NAME)).upkeep.settle();
  await app.close();
}
