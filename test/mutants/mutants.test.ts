import { expect } from 'chai';
import { MUTANTS } from './mutants.js';
import { Copy } from './planted.js';

const EVENTS = 500;
/** A bug may also show as a world that never ends. */
const LIMIT_MS = 60_000;

describe('Planted bugs', function () {
  this.timeout(300_000);
  let copy: Copy;

  before(() => {
    copy = new Copy();
  });

  after(() => copy.remove());

  it('are told from a server without them', async () => {
    const seeds = [...new Set(MUTANTS.flatMap((mutant) => mutant.seeds))];
    const run = await copy.simulate([String(EVENTS), ...seeds.map(String)], 4 * LIMIT_MS);
    expect(run).to.deep.equal({ code: 0, printed: '' });
  });

  for (const mutant of MUTANTS) {
    it(`are caught within 500 seeds: ${mutant.name}`, async () => {
      expect(mutant.seeds).to.have.length(2);
      await copy.with(mutant, async () => {
        for (const seed of mutant.seeds) {
          const { code, printed } = await copy.simulate([String(EVENTS), String(seed)], LIMIT_MS);
          expect(code, `seed ${seed}`).to.equal(1);
          expect(printed, `seed ${seed}`).to.match(/^seed/);
        }
      });
    });
  }
});
