import { expect } from 'chai';
import { SeededRng } from '../support/seeded-rng.js';
import type { ServerProcess } from '../support/server-process.js';
import { startServer } from '../support/server-process.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';

const SEED = Number(process.env['SEED'] ?? 44);
const ROUNDS = 4;
const WRITERS = 4;
const ENV = { OMENDB_WORKER_THREADS: '1', OMENDB_MEMORY_BYTES: '256Mi', OMENDB_FOLD_SLOTS: '8' };

describe('A real server under writes', function () {
  this.timeout(60_000);

  it(`scenario 44: keeps what it acknowledged when it is frozen for a moment and ended by SIGTERM (seed ${SEED})`, async () => {
    const rng = new SeededRng(SEED);
    await withTemporaryFolder(async (dataDir) => {
      const acknowledged = new Set<string>();
      let next = 0;
      let server = await startServer({ dataDir, env: ENV });
      await call(server, '/v1/collections', { name: 'ended', dimensions: 2, metric: 'l2' });
      const write = async (): Promise<void> => {
        for (;;) {
          const id = `r${next++}`;
          const records = [{ id, vector: [next, 1] }];
          const status = await call(server, '/v1/collections/ended/records:upsert', { records }).catch(
            () => 0,
          );
          if (status !== 200) return;
          acknowledged.add(id);
        }
      };
      for (let round = 0; round < ROUNDS; round++) {
        const writers = Array.from({ length: WRITERS }, write);
        await until(() => acknowledged.size >= (round + 1) * 20 + rng.below(20));
        process.kill(server.pid, 'SIGSTOP');
        const frozen = acknowledged.size;
        process.kill(server.pid, 'SIGCONT');
        await until(() => acknowledged.size > frozen);
        expect(await server.stop(), 'exit code').to.equal(0);
        await Promise.all(writers);
        server = await startServer({ dataDir, env: ENV, ports: server.ports });
        const ids = [...acknowledged];
        for (let from = 0; from < ids.length; from += 1000) {
          const some = ids.slice(from, from + 1000);
          const found = await answer<{ records: readonly unknown[] }>(
            server,
            '/v1/collections/ended/records:batchGet',
            { ids: some },
          );
          expect(found.records.length, `round ${round}`).to.equal(some.length);
        }
      }
      expect(await server.stop()).to.equal(0);
    });
  });
});

async function post(server: ServerProcess, path: string, body: unknown): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` },
    body: JSON.stringify(body),
  });
}

async function call(server: ServerProcess, path: string, body: unknown): Promise<number> {
  const response = await post(server, path, body);
  await response.arrayBuffer();
  return response.status;
}

async function answer<T>(server: ServerProcess, path: string, body: unknown): Promise<T> {
  const response = await post(server, path, body);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the writers do not get on');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
