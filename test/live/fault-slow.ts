// Too many exact searches for one engine, and answers so large that writing them holds up everybody.
import { join } from 'node:path';
import { OmenClient } from '#sdk/index.js';
import { SeededRng } from '../support/seeded-rng.js';
import { startServer } from '../support/server-process.js';
import { eventually } from './conditions.js';
import { Watch } from './fault.js';
import type { Victims, Watchers } from './fault.js';
import { targetOf } from './shop.js';
import { vector } from './traffic.js';

const DIMENSIONS = 128;
const RECORDS = 20_000;
const BATCH = 5000;
/** Searches at once: enough that one engine is never idle and each waits for all the others. */
const CROWD = 40;

export async function startSlow(folder: string, namespace: 'pool' | 'slow'): Promise<Victims> {
  const server = await startServer({
    dataDir: join(folder, namespace),
    env: { OMENDB_WORKER_THREADS: '1', OMENDB_MEMORY_BYTES: '256Mi' },
  });
  const rng = new SeededRng(3);
  const client = new OmenClient({ endpoint: server.url, token: server.token, connections: 64, retry: false });
  await client.collections.create({ name: 'vectors', dimensions: DIMENSIONS });
  const vectors = client.collection('vectors');
  for (let from = 0; from < RECORDS; from += BATCH) {
    const ids = Array.from({ length: BATCH }, (_, i) => `v${from + i}`);
    await vectors.upsert({ ids, vectors: vector(rng, BATCH * DIMENSIONS) });
  }
  const exact = (): Promise<unknown> =>
    vectors.query({ vector: vector(rng, DIMENSIONS), topK: 100, exact: true });
  const large = (): Promise<unknown> =>
    vectors.query({ vector: vector(rng, DIMENSIONS), topK: RECORDS / 2, exact: true, includeVector: true });
  return {
    targets: [targetOf(server.ports, namespace, 'omendb-0')],
    suffer: (watchers) =>
      namespace === 'pool'
        ? exhaust(exact, new Watch('engines stalled', namespace, watchers))
        : delay(large, watchers),
    async stop() {
      await client.close();
      await server.kill();
    },
  };

  async function exhaust(search: () => Promise<unknown>, watch: Watch): ReturnType<Victims['suffer']> {
    const since = Date.now();
    const end = crowd(CROWD, search);
    const held = eventually('OmenDBEnginePoolSaturated is held back', () =>
      watch.heldBack('OmenDBEnginePoolSaturated'),
    );
    await Promise.all([
      watch.fires('OmenDBEnginePoolExhausted', 'page', since),
      watch.fires('OmenDBHighLatency', 'ticket', since),
      held,
    ]).finally(end);
    const mendedAt = Date.now();
    await watch.resolves('OmenDBEnginePoolExhausted', mendedAt);
    await watch.resolves('OmenDBHighLatency', mendedAt);
    return watch.report();
  }

  async function delay(search: () => Promise<unknown>, watchers: Watchers): ReturnType<Victims['suffer']> {
    const watch = new Watch('latency added', namespace, watchers);
    const lag = new Watch('event loop blocked', namespace, watchers);
    const since = Date.now();
    const end = crowd(2, search);
    await Promise.all([
      watch.fires('OmenDBHighLatency', 'ticket', since),
      lag.fires('OmenDBEventLoopLag', 'ticket', since),
    ]).finally(end);
    const mendedAt = Date.now();
    await watch.resolves('OmenDBHighLatency', mendedAt);
    await lag.resolves('OmenDBEventLoopLag', mendedAt);
    if (watch.told('OmenDBEnginePoolExhausted') > 0) {
      throw new Error('the engines were called exhausted although they were idle');
    }
    return { stories: [...watch.stories, ...lag.stories], inhibited: [] };
  }
}

/** So many clients that send one request after the other. Returns what ends them. */
function crowd(size: number, request: () => Promise<unknown>): () => Promise<void> {
  let isOver = false;
  const clients = Array.from({ length: size }, async () => {
    while (!isOver) await request();
  });
  // A failure is told by who ends the crowd; until then it must not end the process.
  const all = Promise.all(clients);
  all.catch(() => undefined);
  return async () => {
    isOver = true;
    await all;
  };
}
