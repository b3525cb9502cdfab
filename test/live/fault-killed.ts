// A server is killed while the backup of its release grows old: only the first is told until it is back.
import { join } from 'node:path';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import { eventually } from './conditions.js';
import { Watch } from './fault.js';
import type { Victims } from './fault.js';
import { reservePorts } from './ports.js';
import { backUp, targetOf } from './shop.js';

const ENV = {
  OMENDB_WORKER_THREADS: '1',
  OMENDB_MEMORY_BYTES: '128Mi',
  OMENDB_BACKUP_MARK_INTERVAL: '500ms',
};

export async function startKilled(folder: string): Promise<Victims> {
  const ports = await reservePorts();
  const start = (): Promise<ServerProcess> =>
    startServer({ dataDir: join(folder, 'killed-0'), ports, env: ENV });
  let victim = await start();
  const dataDir = join(folder, 'killed-1');
  const other = await startServer({ dataDir, env: ENV });
  const back = async (name: string): Promise<void> => backUp(dataDir, join(folder, name));
  return {
    targets: [targetOf(victim.ports, 'killed', 'omendb-0'), targetOf(other.ports, 'killed', 'omendb-1')],
    async suffer(watchers) {
      const down = new Watch('server killed', 'killed', watchers);
      const stale = new Watch('backup made stale', 'killed', watchers);
      await back('copy-1');
      const copiedAt = Date.now();
      const killedAt = Date.now();
      await victim.kill();
      await down.fires('OmenDBServerDown', 'page', killedAt);
      await eventually('OmenDBBackupStale is held back', () => down.heldBack('OmenDBBackupStale'));
      if (down.told('OmenDBBackupStale') > 0) {
        throw new Error('somebody was told of the stale backup although the server is down');
      }
      const restartedAt = Date.now();
      victim = await start();
      await down.resolves('OmenDBServerDown', restartedAt);
      await stale.fires('OmenDBBackupStale', 'ticket', copiedAt);
      const mendedAt = Date.now();
      await back('copy-2');
      await stale.resolves('OmenDBBackupStale', mendedAt);
      return { stories: [...down.stories, ...stale.stories], inhibited: down.inhibited };
    },
    async stop() {
      await victim.kill();
      await other.kill();
    },
  };
}
