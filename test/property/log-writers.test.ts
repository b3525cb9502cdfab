import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { collectGarbage } from '#server/app/maintenance/collect-garbage.js';
import { OmenError } from '#server/core/errors.js';
import { NO_SLOT_HASH } from '#server/core/log/wal-slot.js';
import { publishFlush, registerJob } from '#server/core/log/transitions.js';
import type { Fault } from '../support/failing-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeScheduler } from '../support/fake-scheduler.js';
import { LogNode } from '../support/log-node.js';
import { SeededRng } from '../support/seeded-rng.js';

interface Plan {
  readonly seed: number;
  /** Writers that run at once; each has a store with faults of its own. */
  readonly writers: number;
  readonly writes: number;
  readonly faults: Partial<Record<Fault, number>>;
  readonly folds: number;
}

interface Outcome {
  readonly key: string;
  readonly kind: 'acknowledged' | 'unknown' | 'not written';
}

const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(),
  writers: fc.integer({ min: 1, max: 3 }),
  writes: fc.integer({ min: 1, max: 12 }),
  faults: fc.record({
    before: fc.constantFrom(0, 0.02, 0.2),
    after: fc.constantFrom(0, 0.02, 0.2),
    full: fc.constantFrom(0, 0.05),
  }),
  folds: fc.integer({ min: 0, max: 3 }),
});

/**
 * Every slot ever applied by anybody, by number: the history, for the folded part that the log does not have
 * any more.
 */
type History = Map<number, { readonly hash: string; readonly ids: readonly string[] }>;

function record(history: History, node: LogNode): void {
  for (const { slot, hash, writes } of node.slots) {
    const known = history.get(slot);
    // Two nodes never apply two different slots of one number.
    if (known !== undefined) expect(known.hash, `slot ${slot}`).to.equal(hash);
    else history.set(slot, { hash, ids: writes.ids });
  }
}

async function run(plan: Plan): Promise<{ outcomes: Outcome[]; history: History; trace: string }> {
  const bucket = new MemoryObjectStore();
  const rng = new SeededRng(plan.seed);
  const clock = new FakeClock();
  const scheduler = new FakeScheduler(clock, { automatic: true });
  await LogNode.create(bucket, { seed: 1, clock, scheduler });
  const outcomes: Outcome[] = [];
  const history: History = new Map();
  const trace: string[] = [];
  const write = async (writer: number): Promise<void> => {
    const options = { rng: new SeededRng(plan.seed + writer), rates: plan.faults, delayMsMax: 20, scheduler };
    const store = new FailingObjectStore(bucket, options);
    const node = await openPatiently(store, { seed: plan.seed + 100 + writer, clock, scheduler });
    const group: Promise<void>[] = [];
    for (let i = 0; i < plan.writes; i++) {
      const key = `${writer}-${i}`;
      // Two ids per request: both or none may be there.
      const append = node.put({ [`${key}-a`]: i, [`${key}-b`]: i }).then(
        () => outcomes.push({ key, kind: 'acknowledged' }),
        (error: unknown) => outcomes.push({ key, kind: classify(error) }),
      );
      group.push(append.then(() => record(history, node)));
      if (rng.chance(0.6)) await append;
    }
    await Promise.all(group);
    trace.push(`${writer}: ${store.calls.length} calls at ${clock.monotonic()}`);
  };
  const fold = async (): Promise<void> => {
    const node = await LogNode.open(bucket, { seed: plan.seed + 999, clock, scheduler });
    for (let i = 0; i < plan.folds; i++) {
      await scheduler.sleep(rng.unit() * 200);
      await node.loop.catchUp();
      record(history, node);
      await foldAll(node, `job-${i}`);
      await collectGarbage(node.deps);
    }
  };
  await Promise.all([...Array.from({ length: plan.writers }, (_, writer) => write(writer)), fold()]);
  const reader = await LogNode.open(bucket, { seed: 2, clock, scheduler });
  record(history, reader);
  return { outcomes, history, trace: trace.join('; ') };
}

/** A node may need several tries to open on storage that fails. */
async function openPatiently(
  store: FailingObjectStore,
  options: Parameters<typeof LogNode.open>[1],
): Promise<LogNode> {
  for (;;) {
    try {
      return await LogNode.open(store, options);
    } catch (error) {
      if (!(error instanceof OmenError)) throw error;
    }
  }
}

async function foldAll(node: LogNode, jobId: string): Promise<void> {
  const through = node.loop.position;
  const job = { jobId, kind: 'flush', inputs: [], claimedBy: 'x', claimedAtMs: 0 } as const;
  await node.roots.commit((root) => registerJob(root, job));
  await node.roots.commit((root) =>
    publishFlush(root, {
      jobId,
      through,
      fromSlot: root.walFloor,
      segment: null,
      deletes: [],
      requestWindows: [],
    }),
  );
}

function classify(error: unknown): Outcome['kind'] {
  if (!(error instanceof OmenError)) throw error;
  if (error.reason === 'STORAGE_FULL') return 'not written';
  return error.metadata['outcome'] === 'unknown' ? 'unknown' : 'not written';
}

describe('Writers of one log', () => {
  it('scenario 5: lose no acknowledged write, tear no batch, write nothing twice', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { outcomes, history } = await run(plan);
        const written = new Map<string, number>();
        let hash = NO_SLOT_HASH;
        for (let slot = 1; slot <= Math.max(0, ...history.keys()); slot++) {
          const at = history.get(slot);
          // I2: slots are contiguous.
          expect(at, `slot ${slot}`).to.not.equal(undefined);
          hash = at?.hash ?? hash;
          for (const id of at?.ids ?? []) written.set(id, (written.get(id) ?? 0) + 1);
        }
        for (const { key, kind } of outcomes) {
          const [a, b] = [written.get(`${key}-a`) ?? 0, written.get(`${key}-b`) ?? 0];
          expect(a, key).to.equal(b);
          if (kind === 'acknowledged') expect(a, key).to.equal(1);
          else expect(a, key).to.be.oneOf(kind === 'unknown' ? [0, 1] : [0]);
        }
        expect(outcomes.length).to.equal(plan.writers * plan.writes);
      }),
      { numRuns: 200 },
    );
  });

  it('replays one history for one seed (I14)', async () => {
    const plan = { seed: 5, writers: 3, writes: 8, faults: { before: 0.1, after: 0.1 }, folds: 2 };
    const [first, second] = [await run(plan), await run(plan)];
    expect(first.trace).to.equal(second.trace);
    expect(first.outcomes).to.deep.equal(second.outcomes);
    expect([...first.history]).to.deep.equal([...second.history]);
  });
});
