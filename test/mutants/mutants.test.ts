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
      await copy.with(mutant, async () => {
        const listed = await copy.simulate([String(EVENTS), ...mutant.seeds.map(String)], LIMIT_MS);
        // A change of the server gives every seed another history: then others have to show it.
        const { code, printed } =
          listed.code === 1
            ? listed
            : await copy.simulate(['--seeds', '500', '--events', String(EVENTS), '--first'], 4 * LIMIT_MS);
        expect(code).to.equal(1);
        expect(printed).to.match(/^seed/m);
      });
    });
  }
});
