import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SeededRng } from '../support/seeded-rng.js';
import type { ServerProcess } from '../support/server-process.js';
import { startServer } from '../support/server-process.js';

const KILLS = Number(process.env['KILLS'] ?? 50);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const WRITERS = 4;
const BATCH = 25;
const DIMENSIONS = 8;

/** Batches by number: acknowledged or not known. Batch `n` holds the records `n-0` … `n-24`. */
interface Ledger {
  readonly acknowledged: Set<number>;
  readonly uncertain: Set<number>;
  next: number;
}

describe('A server that is killed', function () {
  this.timeout(KILLS * 10_000 + 60_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-kill-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it(`scenario 44: keeps what it acknowledged, and other batches whole or not at all, through ${KILLS} kills (seed ${SEED})`, async () => {
    const rng = new SeededRng(SEED);
    const ledger: Ledger = { acknowledged: new Set(), uncertain: new Set(), next: 0 };
    let server = await start(folder);
    await call(server, '/v1/collections', { name: 'killed', dimensions: DIMENSIONS, metric: 'l2' });
    for (let kill = 0; kill < KILLS; kill++) {
      const stopped = new AbortController();
      const writers = Array.from({ length: WRITERS }, () => write(server, ledger, stopped.signal));
      // So many further batches, so that kills fall on all kinds of moments: log, flush, merge, start.
      const target = ledger.acknowledged.size + rng.below(30);
      await until(() => ledger.acknowledged.size >= target);
      await server.kill();
      stopped.abort();
      await Promise.all(writers);
      server = await start(folder, server);
      if (kill % 10 === 9) await verify(server, ledger);
    }
    await verify(server, ledger);
    expect(ledger.acknowledged.size).to.be.greaterThan(KILLS);
    expect(await server.stop()).to.equal(0);
  });
});

function start(dataDir: string, before?: ServerProcess): Promise<ServerProcess> {
  // Small memtables: flushes and merges are under way at all times.
  const env = {
    OMENDB_WORKER_THREADS: '1',
    OMENDB_MEMORY_BYTES: String(256 * 1024 * 1024),
    OMENDB_FOLD_SLOTS: '16',
  };
  return startServer({ dataDir, env, ...(before === undefined ? {} : { ports: before.ports }) });
}

async function write(server: ServerProcess, ledger: Ledger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const batch = ledger.next++;
    const records = Array.from({ length: BATCH }, (_, index) => ({
      id: `${batch}-${index}`,
      vector: Array.from({ length: DIMENSIONS }, (_, dimension) => batch + index / 100 + dimension),
      attributes: { batch },
    }));
    try {
      await call(server, '/v1/collections/killed/records:upsert', { records });
      ledger.acknowledged.add(batch);
    } catch {
      ledger.uncertain.add(batch);
      return;
    }
  }
}

async function verify(server: ServerProcess, ledger: Ledger): Promise<void> {
  const counts = new Map<number, number>();
  let pageToken = '';
  do {
    const page = await call<{
      records: { id: string; attributes: { batch: number }; vector: number[] }[];
      nextPageToken: string;
    }>(server, '/v1/collections/killed/records:scan', { pageSize: 1000, pageToken, includeVectors: true });
    for (const { id, attributes, vector } of page.records) {
      const [batch = -1, index = -1] = id.split('-').map(Number);
      expect(attributes.batch, id).to.equal(batch);
      expect(vector[0], id).to.be.closeTo(batch + index / 100, 0.01 + batch * 1e-6);
      counts.set(batch, (counts.get(batch) ?? 0) + 1);
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  for (const batch of ledger.acknowledged)
    expect(counts.get(batch), `acknowledged batch ${batch}`).to.equal(BATCH);
  for (const batch of ledger.uncertain)
    expect(counts.get(batch) ?? 0, `batch ${batch}`).to.be.oneOf([0, BATCH]);
  for (const batch of counts.keys()) expect(batch).to.be.lessThan(ledger.next);
}

async function call<T>(server: ServerProcess, path: string, body: unknown): Promise<T> {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text) as T;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the writers do not get on');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
