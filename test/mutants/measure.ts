// Counts which seeds show each planted bug: `node test/dist/mutants/measure.js [SEEDS] [PART OF A NAME]`.
import { MUTANTS } from './mutants.js';
import { Copy } from './planted.js';

const [seeds = '500', part = ''] = process.argv.slice(2);
const copy = new Copy();
try {
  for (const mutant of MUTANTS.filter(({ name }) => name.includes(part))) {
    const { printed } = await copy.with(mutant, () => copy.simulate(['--seeds', seeds], 3_600_000));
    const caught = [...printed.matchAll(/^seed (\d+): (.*)/gm)];
    const numbers = caught.map(([, seed]) => Number(seed)).sort((a, b) => a - b);
    console.log(`${mutant.name}\n  ${numbers.length} of ${seeds}: ${numbers.slice(0, 12).join(' ')}`);
    for (const [, seed, text] of caught.slice(0, 3)) console.log(`  seed ${seed}: ${text}`);
  }
} finally {
  copy.remove();
}
