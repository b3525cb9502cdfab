import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { omendb } from '../support/command.js';
import type { ServerProcess } from '../support/server-process.js';
import { startServer } from '../support/server-process.js';

const ENV = {
  OMENDB_WORKER_THREADS: '1',
  OMENDB_MEMORY_BYTES: '256Mi',
  OMENDB_FOLD_SLOTS: '4',
  OMENDB_BACKUP_MARK_INTERVAL: '100ms',
};
const TENANT = 'dev';

describe('The commands on stores, beside a running server', function () {
  this.timeout(120_000);
  let folder: string;
  let server: ServerProcess;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-backup-'));
    server = await startServer({ dataDir: data(), env: ENV });
  });

  afterEach(async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const data = (): string => join(folder, 'data');
  const store = (name: string): string => `file://${join(folder, name)}`;
  /** A command whose store is that of the server. */
  const run = async (...args: string[]): Promise<{ code: number | null; out: string; err: string }> =>
    omendb(args, { OMENDB_DATA_DIR: data() });

  it('back up while it writes, find a flipped bit, and restore into an empty folder', async () => {
    await create(server, 'words');
    let acknowledged = 0;
    let running = true;
    const writer = (async () => {
      while (running) acknowledged = await write(server, 'words', acknowledged);
    })();
    while (acknowledged < 500) await new Promise((resolve) => setImmediate(resolve));
    const before = acknowledged;
    const first = await run('backup', '--to', store('copy'), '--json');
    expect(first.code, first.err).to.equal(0);
    running = false;
    await writer;
    const second = await run('backup', '--to', store('copy'));
    expect(second.code, second.err).to.equal(0);
    expect(second.out).to.match(/backup \S+: 1 collections, \d+ objects/);
    expect(objectsOf(data()).filter((path) => path.includes('/p/'))).to.deep.equal([]);

    const { backupId } = JSON.parse(first.out) as { backupId: string };
    const listed = await run('backups', '--from', store('copy'));
    expect(
      listed.out.split('\n').filter((line) => / 1 collections, \d+ objects, /.test(line)).length,
    ).to.equal(2);
    expect(listed.out.startsWith(backupId)).to.equal(true);
    for (const id of [[], ['--backup', backupId]]) {
      const verified = await run('verify', '--from', store('copy'), ...id);
      expect(verified.code, verified.out).to.equal(0);
      expect(verified.out).to.include('no faults');
    }

    const restored = await run('restore', '--from', store('copy'), '--to', store('new'));
    expect(restored.code, restored.err).to.equal(0);
    const old = await run('restore', '--from', store('copy'), '--to', store('old'), '--backup', backupId);
    expect(old.code, old.err).to.equal(0);
    expect(await countIn(join(folder, 'new'), 'words')).to.equal(acknowledged);
    expect(await countIn(join(folder, 'old'), 'words')).to.be.within(before, acknowledged);

    // The newest, so that it is part of the newest backup: merges replace older ones.
    const segments = objectsOf(join(folder, 'copy')).filter((path) => path.includes('/s/'));
    const [victim = ''] = segments.sort((one, two) => statSync(two).mtimeMs - statSync(one).mtimeMs);
    flipBit(victim);
    const damaged = await run('verify', '--from', store('copy'));
    expect(damaged.code).to.equal(1);
    const [, key] = /FAULT in dev\/words: (\S+): /.exec(damaged.out) ?? [];
    expect(victim.endsWith(key ?? 'none'), damaged.out).to.equal(true);
    rmSync(victim);
    const refused = await run('restore', '--from', store('copy'), '--to', store('third'));
    expect(refused.code).to.equal(1);
    expect(refused.out).to.include(`MISSING for dev/words: ${key}`);
  });

  it('restore a chosen second under another name', async () => {
    await create(server, 'words');
    await write(server, 'words', 0);
    const moment = new Date().toISOString();
    while (new Date().toISOString() === moment);
    await write(server, 'words', 50);
    const backup = await run('backup', '--to', store('copy'), '--collection', `${TENANT}/words`);
    expect(backup.code, backup.err).to.equal(0);
    await server.stop();
    const args = ['--from', store('copy'), '--as-of', moment, '--collection', `${TENANT}/words`];
    const taken = await run('restore', ...args);
    expect([taken.code, taken.err]).to.deep.equal([
      1,
      'omendb: collection "dev/words" exists already: nothing was written; give another name\n',
    ]);
    const restored = await run('restore', ...args, '--name', 'before');
    expect(restored.code, restored.err).to.equal(0);
    server = await startServer({ dataDir: data(), env: ENV, ports: server.ports });
    expect(await count(server, 'before')).to.equal(50);
    expect(await count(server, 'words')).to.equal(100);
  });

  it('tell the server of a backup, which then tells when it was made', async () => {
    await create(server, 'words');
    await write(server, 'words', 0);
    const begunAt = Date.now() / 1000;
    const backup = await run('backup', '--to', store('copy'));
    expect(backup.code, backup.err).to.equal(0);
    const endedAt = Date.now() / 1000;
    const name = 'omendb_backup_last_success_timestamp_seconds';
    let success = 0;
    while (success === 0) success = (await metric(server, name)) ?? 0;
    expect(success).to.be.within(begunAt, endedAt);
    expect(await metric(server, 'omendb_backup_last_attempt_timestamp_seconds')).to.be.within(
      begunAt,
      success,
    );
    expect(await metric(server, 'omendb_backup_duration_seconds')).to.be.within(0.001, endedAt - begunAt);
  });

  it('say what the collector would remove, and leave a folder in use alone', async () => {
    await create(server, 'words');
    await write(server, 'words', 0);
    const dry = await run('collect', '--dry-run');
    expect(dry.code, dry.err).to.equal(0);
    expect(dry.out).to.match(/^dev\/words: \d+ log slots, .* would be removed\n/);
    const refused = await run('collect');
    expect(refused.code).to.equal(1);
    expect(refused.err).to.match(/in use/);
    await server.stop();
    const done = await run('collect', '--json');
    expect(done.code, done.err).to.equal(0);
    expect(JSON.parse(done.out)).to.deep.include({ event: 'collect', dryRun: false, failed: [] });
    server = await startServer({ dataDir: data(), env: ENV, ports: server.ports });
    expect(await count(server, 'words')).to.equal(50);
  });
});

/** Undefined while the server does not know. */
async function metric(server: ServerProcess, name: string): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${server.ports.ops}/metrics`);
  const value = new RegExp(`^${name} (.+)$`, 'm').exec(await response.text())?.[1];
  return value === undefined ? undefined : Number(value);
}

async function create(server: ServerProcess, name: string): Promise<void> {
  await call(server, '/v1/collections', { name, dimensions: 4, metric: 'l2' });
}

/** Writes 50 records from a number on. Returns the next number. */
async function write(server: ServerProcess, name: string, from: number): Promise<number> {
  const records = Array.from({ length: 50 }, (_, index) => ({
    id: `${from + index}`,
    vector: [index, 1, 2, 3],
  }));
  await call(server, `/v1/collections/${name}/records:upsert`, { records });
  return from + 50;
}

async function count(server: ServerProcess, name: string): Promise<number> {
  const { count: seen } = (await call(server, `/v1/collections/${name}/records:count`, {})) as {
    count: string;
  };
  return Number(seen);
}

/** What a server on this folder counts. */
async function countIn(dataDir: string, name: string): Promise<number> {
  const server = await startServer({ dataDir, env: ENV });
  try {
    return await count(server, name);
  } finally {
    await server.stop();
  }
}

async function call(server: ServerProcess, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

function objectsOf(dataDir: string): string[] {
  const files = readdirSync(join(dataDir, 'objects'), { recursive: true, encoding: 'utf8' });
  return files.map((file) => join(dataDir, 'objects', file)).filter((path) => statSync(path).isFile());
}

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
