import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ServerProcess } from '../support/server-process.js';
import { startServer } from '../support/server-process.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';

const ENV = { OMENDB_WORKER_THREADS: '1', OMENDB_MEMORY_BYTES: '256Mi', OMENDB_FOLD_SLOTS: '2' };

describe('A folder with a flipped bit', function () {
  this.timeout(60_000);

  for (const [what, folder] of [
    ['segment', 's'],
    ['log slot', 'w'],
  ] as const) {
    it(`scenario 28: is noticed in a ${what}: its collection says what is damaged and where, others go on`, async () => {
      await withTemporaryFolder(async (dataDir) => {
        let server = await startServer({ dataDir, env: ENV });
        await fill(server, 'damaged');
        const own = objectsOf(dataDir);
        await fill(server, 'other');
        expect(await server.stop()).to.equal(0);
        // The newest: older slots are being collected.
        const victim = own.findLast((path) => path.includes(`/${folder}/`));
        if (victim === undefined) throw new Error(`no ${what} in ${own.join(', ')}`);
        flipBit(victim);

        server = await startServer({ dataDir, env: ENV, ports: server.ports });
        const { status, error } = await query(server, 'damaged');
        expect(status).to.equal(500);
        expect(error?.details[0]?.reason).to.equal('DATA_CORRUPTED');
        expect(error?.message).to.match(/is damaged: .* byte \d+/);
        expect((await query(server, 'other')).status).to.equal(200);
        expect(server.output()).to.include('DATA_CORRUPTED');
        expect(await server.stop()).to.equal(0);
      });
    });
  }
});

interface Answer {
  readonly status: number;
  readonly segments?: number;
  readonly error?: { readonly message: string; readonly details: readonly { readonly reason: string }[] };
}

/** Three slots: the first two become a segment, the third stays in the log. */
async function fill(server: ServerProcess, name: string): Promise<void> {
  await call(server, '/v1/collections', { name, dimensions: 4, metric: 'l2' });
  for (let slot = 0; slot < 3; slot++) {
    const records = Array.from({ length: 200 }, (_, index) => ({
      id: `${slot}-${index}`,
      vector: [slot, index, 1, 2],
    }));
    expect((await call(server, `/v1/collections/${name}/records:upsert`, { records })).status).to.equal(200);
    while (slot === 1 && (await call(server, `/v1/collections/${name}/stats`)).segments !== 1);
  }
}

function query(server: ServerProcess, name: string): Promise<Answer> {
  return call(server, `/v1/collections/${name}/records:query`, { vector: [1, 1, 1, 1], topK: 2 });
}

async function call(server: ServerProcess, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return { ...((await response.json()) as object), status: response.status };
}

function objectsOf(dataDir: string): string[] {
  const top = join(dataDir, 'objects/n');
  return readdirSync(top, { recursive: true })
    .map((path) => join(top, String(path)))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .sort();
}

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
