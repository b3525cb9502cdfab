/*
 * A process that opens a data folder, says so, and holds it until it is killed: `node hold-folder.js FOLDER`.
 */
import { openDataFolder } from '#server/adapters/fs/data-folder.js';
import { SystemClock } from '#server/adapters/system/clock.js';
import { SystemRng } from '#server/adapters/system/rng.js';
import { SystemScheduler } from '#server/adapters/system/scheduler.js';
import { newNonce } from '#server/app/log/object-layout.js';
import { silentLogger } from './log-node.js';

const folder = process.argv[2] ?? '';
try {
  await openDataFolder(folder, {
    clock: new SystemClock(),
    scheduler: new SystemScheduler(),
    logger: silentLogger,
    nonce: newNonce(new SystemRng()),
  });
  process.stdout.write('held\n');
  setInterval(() => undefined, 1000);
} catch (error) {
  process.stdout.write(`refused: ${error instanceof Error ? error.message : String(error)}\n`);
}
