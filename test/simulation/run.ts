// Runs the histories of the seeds given as arguments: `node run.js STEPS SEED...`. Exits with 1 when a
// promise was broken.
import { runHistory } from './world.js';

const [steps = 100, ...seeds] = process.argv.slice(2).map(Number);
for (const seed of seeds) {
  const { violation } = await runHistory(seed, steps);
  if (violation === null) continue;
  console.log(`seed ${seed}: ${violation.message}`);
  process.exit(1);
}
process.exit(0);
