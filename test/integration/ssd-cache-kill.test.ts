// A process that is killed while it fills a cache on disk, again and again.
import { spawn } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { endWithProcess } from '../support/end-with-process.js';
import { SeededRng } from '../support/seeded-rng.js';
import { countHits, keysUpTo, openSsdCache } from '../support/ssd-cache.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';

const WRITER = fileURLToPath(new URL('../support/ssd-cache-writer.js', import.meta.url));
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const KILLS = 8;

/**
 * Runs the writer from a key on and kills it once it has told of `lines` steps; returns the last key told.
 */
async function fillAndKill(folder: string, first: number, lines: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithProcess(child);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    if (printed.split('\n').length > lines) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return Number(printed.split('\n').at(-2));
}

describe('A process that fills a cache on disk', function () {
  this.timeout(120_000);

  it(`leaves exact pieces or none when it is killed, ${KILLS} times in a row (seed ${SEED})`, async () => {
    await withTemporaryFolder(async (parent) => {
      const folder = join(parent, 'cache');
      const rng = new SeededRng(SEED);
      let last = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        last = await fillAndKill(folder, last, 2 + rng.below(40));
        // Half of the time the next process finds what is put in order here, else what the killed one left.
        const copy = join(parent, `copy-${kill}`);
        await cp(folder, copy, { recursive: true });
        const cache = openSsdCache(rng.chance(0.5) ? folder : copy);
        const { pieces } = await cache.loaded;
        expect(pieces, `after ${kill + 1} kills`).to.be.greaterThan(0);
        expect(await countHits(cache, keysUpTo(last + 100))).to.be.at.least(Math.min(pieces, 100));
        expect(cache.usage.bytes).to.be.at.most(cache.usage.capacityBytes);
        await cache.close();
      }
    });
  });
});
