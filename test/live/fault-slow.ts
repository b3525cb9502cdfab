// Too many exact searches for one engine; and large answers and requests, which the main thread has to write
// and read and so hold up everybody, while the engine is idle.
import { join } from 'node:path';
import { OmenClient } from '#sdk/index.js';
import { SeededRng } from '../support/seeded-rng.js';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import { eventually } from './conditions.js';
import { Watch } from './fault.js';
import type { Victims, Watchers } from './fault.js';
import { targetOf } from './shop.js';
import { vector } from './traffic.js';

/**
 * `pool`: comparing all records takes milliseconds, so that a queue lasts while the clients get no processor.
 */
const SIZES = {
  pool: { dimensions: 512, records: 20_000, topK: 10, crowd: 60 },
  slow: { dimensions: 128, records: 10_000, topK: 3000, crowd: 2 },
} as const;
const BATCH = 2500;
/**
 * Below the largest that is taken. Reading it takes a quarter of a second, too little for a scrape to be
 * lost.
 */
const LARGE_BYTES = 30 * 1024 * 1024;

export async function startSlow(folder: string, namespace: keyof typeof SIZES): Promise<Victims> {
  const { dimensions, records, topK, crowd: size } = SIZES[namespace];
  const server = await startServer({
    dataDir: join(folder, namespace),
    env: { OMENDB_WORKER_THREADS: '1', OMENDB_MEMORY_BYTES: '512Mi', OMENDB_RECALL_SAMPLE: '0' },
  });
  const rng = new SeededRng(3);
  const client = new OmenClient({ endpoint: server.url, token: server.token, connections: 64, retry: false });
  await client.collections.create({ name: 'vectors', dimensions });
  const vectors = client.collection('vectors');
  for (let from = 0; from < records; from += BATCH) {
    const ids = Array.from({ length: BATCH }, (_, i) => `v${from + i}`);
    await vectors.upsert({ ids, vectors: vector(rng, BATCH * dimensions) });
  }
  const includeVector = namespace === 'slow';
  const search = (): Promise<unknown> =>
    vectors.query({ vector: vector(rng, dimensions), topK, exact: true, includeVector });
  return {
    targets: [targetOf(server.ports, namespace, 'omendb-0')],
    suffer: (watchers) =>
      namespace === 'pool' ? exhaust(new Watch('engines stalled', namespace, watchers)) : delay(watchers),
    async stop() {
      await client.close();
      await server.kill();
    },
  };

  async function exhaust(watch: Watch): ReturnType<Victims['suffer']> {
    const since = Date.now();
    const end = crowd(size, search);
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

  async function delay(watchers: Watchers): ReturnType<Victims['suffer']> {
    const watch = new Watch('latency added', namespace, watchers);
    const lag = new Watch('event loop blocked', namespace, watchers);
    const since = Date.now();
    const ends = [crowd(size, search), crowd(1, largeRequests(server))];
    await Promise.all([
      watch.fires('OmenDBHighLatency', 'ticket', since),
      lag.fires('OmenDBEventLoopLag', 'ticket', since),
    ]).finally(() => Promise.all(ends.map((end) => end())));
    const mendedAt = Date.now();
    await watch.resolves('OmenDBHighLatency', mendedAt);
    await lag.resolves('OmenDBEventLoopLag', mendedAt);
    if (watch.told('OmenDBEnginePoolExhausted') > 0) {
      throw new Error('the engines were called exhausted although they were idle');
    }
    return { stories: [...watch.stories, ...lag.stories], inhibited: [] };
  }
}

/**
 * JSON with more records than are taken at once: all of it is read before that is known, and nothing is kept.
 */
function largeRequests({ url, token }: ServerProcess): () => Promise<unknown> {
  const record = JSON.stringify({ id: 'x', vector: Array.from({ length: 128 }, (_, i) => i / 128) });
  const count = Math.floor(LARGE_BYTES / (record.length + 1));
  const body = Buffer.from(`{"records":[${new Array<string>(count).fill(record).join(',')}]}`);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return async () => {
    const target = `${url}/v1/collections/vectors/records:upsert`;
    const response = await fetch(target, { method: 'POST', headers, body });
    await response.arrayBuffer();
  };
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
