// Measuring what queries miss: what is repeated, when, and what comes out.
import { expect } from 'chai';
import type { RecallDependencies, SampledQuery } from '#server/app/recall-sampler.js';
import { RecallSampler } from '#server/app/recall-sampler.js';
import { Snapshot } from '#server/core/collection/snapshot.js';
import type { SearchOutcome, SearchTask } from '#server/core/engine/tasks.js';
import { OmenError } from '#server/core/errors.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { settle } from '../../../support/fake-scheduler.js';
import { silentLogger } from '../../../support/log-node.js';
import { RecordedMetrics } from '../../../support/recorded-metrics.js';
import { SeededRng } from '../../../support/seeded-rng.js';

type Answer = (outcome: SearchOutcome | Error) => void;

const TASK: SearchTask = {
  ...{ query: Float32Array.of(1), topK: 20, exact: false, recallTarget: 0.95 },
  ...{ dimensions: 1, metric: 'l2', parts: [] },
};

/** Rows in the order found; a row's score is the lower the higher its number, unless given. */
function outcomeOf(rows: readonly number[], scores = rows.map((row) => -row)): SearchOutcome {
  return {
    parts: new Uint32Array(rows.length),
    ...{ rows: Uint32Array.from(rows), scores: Float32Array.from(scores) },
    ...{ candidates: rows.length, exact: false },
  };
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, row) => row);

describe('The recall of live queries', () => {
  let metrics: RecordedMetrics;
  let clock: FakeClock;
  let asked: { readonly task: SearchTask; readonly answer: Answer }[];
  let queued: number;
  let snapshots: WatchedSnapshot[];
  beforeEach(() => {
    metrics = new RecordedMetrics();
    clock = new FakeClock();
    asked = [];
    queued = 0;
    snapshots = [];
  });
  afterEach(() => {
    // Released as often as retained, whatever happened.
    for (const snapshot of snapshots) expect(snapshot.owners).to.equal(1);
  });

  function open(share = 1, seed = 1): RecallSampler {
    const pool = {
      get queued() {
        return queued;
      },
      search: (task: SearchTask, signal: AbortSignal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          const answer: Answer = (outcome) => {
            if (outcome instanceof Error) reject(outcome);
            else resolve({ outcome, queueMs: 0, engineMs: 0 });
          };
          asked.push({ task, answer });
        }),
    } as unknown as RecallDependencies['pool'];
    const rng = new SeededRng(seed);
    return new RecallSampler({ pool, clock, rng, logger: silentLogger, metrics, share });
  }
  function offer(sampler: RecallSampler, found: SearchOutcome, task: Partial<SearchTask> = {}): void {
    const snapshot = new WatchedSnapshot([], 0);
    snapshots.push(snapshot);
    const tiers = {} as SampledQuery['tiers'];
    sampler.offer({ tiers, task: { ...TASK, ...task }, snapshot }, found);
  }
  async function answer(outcome: SearchOutcome | Error): Promise<void> {
    asked.at(-1)?.answer(outcome);
    await settle();
  }
  const ratios = (): readonly number[] => metrics.observed('omendb_query_recall_ratio', {});
  const samples = (): (number | undefined)[] =>
    (['measured', 'skipped'] as const).map((outcome) =>
      metrics.value('omendb_query_recall_samples_total', { outcome }),
    );

  it('is the share of the ten nearest that the query found', async () => {
    const sampler = open();
    const bad = [0, 1, 2, 30, 31, 32, 33, 34, 35, 36, 3, 4, 5];
    offer(sampler, outcomeOf(bad));
    expect(snapshots[0]?.owners).to.equal(2);
    await answer(outcomeOf(upTo(10)));
    expect(ratios()).to.deep.equal([0.3]);
    expect(asked.map(({ task: { exact, topK } }) => [exact, topK])).to.deep.equal([[true, 10]]);
    expect(samples()).to.deep.equal([1, undefined]);
  });

  it('is whole when everything was found, in whatever order and however little there is', async () => {
    for (const [found, exact] of [
      [upTo(20), upTo(10)],
      [[2, 1, 0], upTo(3)],
    ] as const) {
      offer(open(), outcomeOf(found), { topK: Math.min(20, exact.length) });
      await answer(outcomeOf(exact));
    }
    expect(ratios()).to.deep.equal([1, 1]);
  });

  it('takes one record for as good as another that is equally far', async () => {
    offer(open(), outcomeOf([0, 1, 7], [0, -1, -2]), { topK: 3 });
    await answer(outcomeOf([0, 1, 2]));
    expect(ratios()).to.deep.equal([1]);
  });

  it('is zero when the query found nothing, and not measured when there is nothing to find', async () => {
    offer(open(), outcomeOf([]));
    await answer(outcomeOf(upTo(10)));
    offer(open(), outcomeOf([]));
    await answer(outcomeOf([]));
    expect(ratios()).to.deep.equal([0]);
    expect(samples()).to.deep.equal([1, 1]);
  });

  it('is not measured of queries that are exact or ask for less', () => {
    const sampler = open();
    for (const task of [{ exact: true }, { recallTarget: 0.8 }, { nprobe: 1 }, { rerank: 10 }]) {
      offer(sampler, outcomeOf([0]), task);
    }
    expect(asked.length).to.equal(0);
    expect(samples()).to.deep.equal([undefined, undefined]);
  });

  it('is measured of the share of queries that was asked for, the same ones for the same chance', () => {
    const chosen = (seed: number): number => {
      const sampler = open(0.25, seed);
      const before = asked.length;
      queued = 1;
      for (let query = 0; query < 1000; query++) offer(sampler, outcomeOf([0]));
      return asked.length - before + (samples()[1] ?? 0);
    };
    const first = chosen(7);
    expect(first).to.be.within(200, 300);
    expect(chosen(7)).to.equal(2 * first);
  });

  it('is measured of none when the share is zero, without drawing anything', () => {
    const rng = new SeededRng(1);
    const sampler = new RecallSampler({
      ...{ pool: {} as RecallDependencies['pool'], clock, rng, logger: silentLogger, metrics, share: 0 },
    });
    offer(sampler, outcomeOf([0]));
    expect(rng.uint32()).to.equal(new SeededRng(1).uint32());
  });

  it('is measured one at a time, and only while nobody waits for an engine', async () => {
    const sampler = open();
    queued = 1;
    offer(sampler, outcomeOf(upTo(10)));
    queued = 0;
    offer(sampler, outcomeOf(upTo(10)));
    offer(sampler, outcomeOf(upTo(10)));
    expect(asked.length).to.equal(1);
    await answer(outcomeOf(upTo(10)));
    expect(samples()).to.deep.equal([1, 2]);
  });

  it('is measured at most once a second, and takes half a percent of one engine at most', async () => {
    const sampler = open();
    const measureTaking = async (ms: number): Promise<void> => {
      offer(sampler, outcomeOf(upTo(10)));
      clock.advance(ms);
      await answer(outcomeOf(upTo(10)));
    };
    await measureTaking(5);
    clock.advance(999);
    offer(sampler, outcomeOf(upTo(10)));
    expect(asked.length).to.equal(1);
    clock.advance(1);
    await measureTaking(500);
    clock.advance(99_999);
    offer(sampler, outcomeOf(upTo(10)));
    expect(asked.length).to.equal(2);
    clock.advance(1);
    await measureTaking(10);
    expect(asked.length).to.equal(3);
  });

  it('is a failure in the background when it cannot be measured', async () => {
    const sampler = open();
    offer(sampler, outcomeOf(upTo(10)));
    await answer(new OmenError('INTERNAL', 'the engine stopped'));
    expect(metrics.series('omendb_background_failures_total')).to.deep.equal({
      '{"task":"recall","type":"internal"}': 1,
    });
    expect(samples()).to.deep.equal([undefined, 1]);
    clock.advance(60_000);
    offer(sampler, outcomeOf(upTo(10)));
    await answer(outcomeOf(upTo(10)));
    expect(ratios()).to.deep.equal([1]);
  });

  it('is not measured any more when the server stops', async () => {
    const sampler = open();
    offer(sampler, outcomeOf(upTo(10)));
    await sampler.close();
    offer(sampler, outcomeOf(upTo(10)));
    expect(asked.length).to.equal(1);
    expect(ratios()).to.deep.equal([]);
    expect(metrics.series('omendb_background_failures_total')).to.deep.equal({});
  });
});

/** A snapshot that tells how many hold it. */
class WatchedSnapshot extends Snapshot {
  owners = 1;

  override retain(): this {
    this.owners++;
    return super.retain();
  }

  override release(): void {
    this.owners--;
    super.release();
  }
}
