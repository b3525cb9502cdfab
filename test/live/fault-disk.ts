// The disk fills up: that is foreseen first, then writes fail, and when there is room again all is well.
import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OmenClient } from '#sdk/index.js';
import { SeededRng } from '../support/seeded-rng.js';
import { startServer } from '../support/server-process.js';
import { eventually, pause } from './conditions.js';
import { Watch } from './fault.js';
import type { Victims } from './fault.js';
import { targetOf } from './shop.js';
import { vector } from './traffic.js';

const MIB = 1024 * 1024;
const SIZE_MIB = 48;
/** More than three quarters, with room left for what the server writes meanwhile. */
const FILLED_MIB = 40;
const DIMENSIONS = 64;

export async function startDisk(folder: string): Promise<Victims> {
  const disk = await mountDisk(join(folder, 'disk'));
  const dataDir = join(disk.folder, 'data');
  const server = await startServer({
    dataDir,
    env: { OMENDB_WORKER_THREADS: '1', OMENDB_MEMORY_BYTES: '128Mi' },
  }).catch((error: unknown) => {
    disk.unmount();
    throw error;
  });
  const client = new OmenClient({ endpoint: server.url, token: server.token, retry: false });
  const writing = await writeAndSearch(client);
  const ballast = join(disk.folder, 'ballast');
  const fill = (bytes: number): Promise<void> => appendFile(ballast, Buffer.alloc(bytes));
  return {
    targets: [targetOf(server.ports, 'disk', 'omendb-0')],
    async suffer(watchers) {
      const filling = new Watch('disk filled slowly', 'disk', watchers);
      const full = new Watch('disk full', 'disk', watchers);
      const errors = new Watch('errors forced: writes fail', 'disk', watchers);
      const since = Date.now();
      await fill(FILLED_MIB * MIB);
      let isFilling = true;
      const slowly = (async () => {
        while (isFilling) {
          await fill(16 * 1024);
          await pause(250);
        }
      })();
      await filling.fires('OmenDBDiskFillingUp', 'ticket', since).finally(() => (isFilling = false));
      await slowly;
      const fullSince = Date.now();
      // The last bytes, until the system refuses more; the server may have taken some in between.
      await eventually(
        'the disk is full',
        () =>
          fill(16 * 1024).then(
            () => undefined,
            () => true,
          ),
        { everyMs: 1 },
      );
      await Promise.all([
        full.fires('OmenDBDiskFull', 'page', fullSince),
        errors.fires('OmenDBHighErrorRate', 'page', fullSince),
        eventually('OmenDBErrorBudgetBurnFast is held back', () =>
          errors.heldBack('OmenDBErrorBudgetBurnFast'),
        ),
      ]);
      const mendedAt = Date.now();
      await rm(ballast);
      await Promise.all([
        filling.resolves('OmenDBDiskFillingUp', mendedAt),
        full.resolves('OmenDBDiskFull', mendedAt),
        errors.resolves('OmenDBHighErrorRate', mendedAt),
      ]);
      return {
        stories: [...filling.stories, ...full.stories, ...errors.stories],
        inhibited: [...errors.inhibited],
      };
    },
    async stop() {
      await writing.stop();
      await client.close();
      await server.kill();
      disk.unmount();
    },
  };
}

async function writeAndSearch(client: OmenClient): Promise<{ stop(): Promise<void> }> {
  const rng = new SeededRng(4);
  await client.collections.create({ name: 'orders', dimensions: DIMENSIONS });
  const orders = client.collection('orders');
  let isOver = false;
  const loop = (async () => {
    for (let turn = 0; !isOver; turn++) {
      // While the disk is full, the writes fail: that is the fault.
      await orders
        .upsert([{ id: `o${turn % 1000}`, vector: vector(rng, DIMENSIONS) }])
        .catch(() => undefined);
      await orders.query({ vector: vector(rng, DIMENSIONS) }).catch(() => undefined);
      await pause(50);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await loop;
    },
  };
}

/** A file system of its own, in memory. */
async function mountDisk(folder: string): Promise<{ folder: string; unmount(): void }> {
  await mkdir(folder, { recursive: true });
  const { status, stderr } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'omendb-test', folder],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) {
    throw new Error(`a disk to fill needs a file system of its own; mounting one is refused: ${stderr}`);
  }
  const unmount = (): void => {
    process.off('exit', unmount);
    spawnSync('umount', ['--lazy', folder]);
  };
  process.on('exit', unmount);
  return { folder, unmount };
}
