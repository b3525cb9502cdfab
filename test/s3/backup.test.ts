// The commands on stores, on a bucket of a real S3 server that a server is writing to.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { listAll, removeAll } from '#server/app/maintenance/list-objects.js';
import type { Ended } from '../support/command.js';
import { omendb } from '../support/command.js';
import type { S3Server } from '../support/s3-server.js';
import { startS3Server } from '../support/s3-server.js';
import { openS3Store, S3_ENVIRONMENT } from '../support/s3-store.js';
import type { ServerProcess } from '../support/server-process.js';
import { startServer } from '../support/server-process.js';

const LIVE = 's3://bucket/live';
const VAULT = 's3://bucket/vault';

describe('The commands on stores, on a bucket in use', function () {
  this.timeout(180_000);
  let s3: S3Server;
  let folder: string;
  let server: ServerProcess;

  before(async () => {
    s3 = await startS3Server('versitygw');
    folder = mkdtempSync(join(tmpdir(), 'omendb-backup-s3-'));
    server = await start();
  });

  after(async () => {
    await server.kill();
    await s3.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const settings = (): Record<string, string> => ({
    ...S3_ENVIRONMENT,
    ...{ OMENDB_OBJECT_STORE: LIVE, OMENDB_S3_ENDPOINT: s3.endpoint, OMENDB_S3_FORCE_PATH_STYLE: 'true' },
  });
  const start = (): Promise<ServerProcess> => {
    const env = { ...settings(), OMENDB_WORKER_THREADS: '1', OMENDB_MEMORY_BYTES: '256Mi' };
    return startServer({ dataDir: join(folder, 'data'), env: { ...env, OMENDB_FOLD_SLOTS: '4' } });
  };
  const run = async (...args: string[]): Promise<Ended> => {
    const ended = await omendb(args, settings());
    expect(ended.code, `${args.join(' ')}: ${ended.out}${ended.err}`).to.equal(0);
    return ended;
  };

  it('back up beside writes, restore beside writes, and collect beside writes', async () => {
    await call('', { name: 'words', dimensions: 4, metric: 'l2' });
    let acknowledged = 0;
    let running = true;
    const writer = (async () => {
      while (running) acknowledged = await write(acknowledged);
    })();
    while (acknowledged < 1000) await new Promise((resolve) => setImmediate(resolve));
    const before = acknowledged;
    let after = 0;
    try {
      await run('backup', '--to', VAULT);
      after = acknowledged;
      await run('verify', '--from', VAULT);
      await run('restore', '--from', VAULT, '--collection', 'dev/words', '--name', 'again');
      await run('collect', '--dry-run');
      // Two changes of one root at a time: one of them waits and tries again.
      for (let pass = 0; pass < 5; pass++) await run('collect');
    } finally {
      running = false;
    }
    await writer;
    expect(await count('again')).to.be.within(before, after + 50);
    expect(await count('words')).to.equal(acknowledged);

    const second = JSON.parse((await run('backup', '--to', VAULT, '--json')).out) as Record<string, number>;
    expect(second['copiedObjects']).to.be.lessThan(second['objects'] ?? 0);
  });

  it('bring everything back after the bucket was emptied, from a folder', async () => {
    const [words, again] = [await count('words'), await count('again')];
    const vault = `file://${join(folder, 'vault')}`;
    await run('backup', '--to', vault);
    await server.stop();
    const store = await openS3Store(s3.endpoint, { prefix: 'live/' });
    await removeAll(store, await listAll(store, ''));
    await store.close();
    await run('restore', '--from', vault);
    server = await start();
    expect([await count('words'), await count('again')]).to.deep.equal([words, again]);
  });

  /** Writes 50 records from a number on. Returns the next number. */
  async function write(from: number): Promise<number> {
    const records = Array.from({ length: 50 }, (_, index) => ({
      id: `${from + index}`,
      vector: [index, 1, 2, 3],
    }));
    await call('/words/records:upsert', { records });
    return from + 50;
  }

  async function count(name: string): Promise<number> {
    const counted = await call(`/${name}/records:count`, { consistency: 'strong' });
    return Number((counted as { readonly count: string }).count);
  }

  async function call(path: string, body: object): Promise<unknown> {
    const response = await fetch(`${server.url}/v1/collections${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
});
