import { expect } from 'chai';
import { runHistory } from './world.js';

/** Seeds that once failed, or that cover something rare; `SEED=7 npm run test:sim` replays one. */
const SEEDS = process.env['SEED'] === undefined ? [1, 2, 3, 4, 5, 6, 7, 8] : [Number(process.env['SEED'])];
const STEPS = Number(process.env['STEPS'] ?? 150);
/** Further seeds, as many as fit into the time. */
const BUDGET_MS = Number(process.env['SIM_BUDGET_MS'] ?? (process.env['SEED'] === undefined ? 20_000 : 0));

describe('Random histories on failing storage', function () {
  this.timeout(BUDGET_MS + 120_000);

  for (const seed of SEEDS) {
    it(`keep every promise (seed ${seed})`, async () => {
      await expectKept(seed);
    });
  }

  it('reach merges, and not only writes', async () => {
    const histories = await Promise.all([1, 2, 3].map((seed) => runHistory(seed, STEPS)));
    expect(histories.reduce((sum, { merges }) => sum + merges, 0)).to.be.greaterThan(3);
  });

  it('give the same trace for the same seed', async () => {
    const [one, other] = [await runHistory(42, 80), await runHistory(42, 80)];
    expect(one.trace).to.deep.equal(other.trace);
  });

  it('keep every promise for as many new seeds as the budget allows', async () => {
    const first = Date.now() % 1_000_000_000;
    const end = performance.now() + BUDGET_MS;
    for (let seed = first; performance.now() < end; seed++) await expectKept(seed);
  });
});

async function expectKept(seed: number): Promise<void> {
  const { trace, violation } = await runHistory(seed, STEPS);
  if (violation === null) return;
  const last = trace.slice(-50).join('\n');
  throw new Error(
    `${violation.message}\nSEED=${seed} STEPS=${STEPS} npm run test:sim\nlast events:\n${last}`,
    {
      cause: violation,
    },
  );
}
