// Two real servers on one bucket of a real S3 server, either killed at random moments under load: no
// acknowledged write is lost, none takes effect twice, no strong read is stale, no session goes back.
// `KILL_SECONDS=600 npm run test:s3 -- -g killed` runs it for ten minutes, `SEED=…` repeats its choices.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { S3_ENVIRONMENT } from '../support/s3-store.js';
import type { S3Server } from '../support/s3-server.js';
import { startS3Server } from '../support/s3-server.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { ServerProcess } from '../support/server-process.js';
import { startServer } from '../support/server-process.js';
import { tokenFor } from '../support/token.js';
import { RecordHistory } from './record-history.js';

const SECONDS = Number(process.env['KILL_SECONDS'] ?? 40);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const SECRET = 'two servers and one bucket: a secret for tests';
const WRITERS = 6;
const RECORDS_EACH = 60;
const BATCH_MAX = 8;
const DIMENSIONS = 8;
/** Longer than any repetition in a server takes. */
const CALL_MS = 20_000;

interface Page {
  readonly records: readonly { readonly id: string; readonly attributes: { readonly version: number } }[];
  readonly nextPageToken: string;
}

interface Receipt {
  readonly sequenceNumber: string;
  readonly sessionToken: string;
}

/** Counts for the summary; a test that did nothing shows nothing. */
interface Tally {
  writes: number;
  unknown: number;
  repeats: number;
  strongReads: number;
  sessionReads: number;
  kills: number;
}

describe('Two servers on one bucket', function () {
  this.timeout(SECONDS * 1000 + 180_000);
  let s3: S3Server;
  let folder: string;

  before(async () => {
    s3 = await startS3Server('versitygw');
    folder = mkdtempSync(join(tmpdir(), 'omendb-two-'));
  });

  after(async () => {
    await s3.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`that are killed for ${SECONDS} s keep every acknowledged write and answer no strong read stale (seed ${SEED})`, async () => {
    const rng = new SeededRng(SEED);
    const cluster = new Cluster(s3.endpoint, folder, await tokenFor('two', SECRET));
    await cluster.start();
    try {
      await cluster.call(0, '', { name: 'killed', dimensions: DIMENSIONS, metric: 'l2' });
      const load = new Load(cluster, SEED);
      const workers = [
        ...Array.from({ length: WRITERS }, (_, writer) => load.write(writer)),
        ...[0, 1, 2].map((reader) => load.read(reader)),
      ];
      const deadline = performance.now() + SECONDS * 1000;
      while (performance.now() < deadline && load.failure === null) {
        // So many further writes, so that kills fall on all kinds of moments.
        await load.progress(rng.below(80));
        load.tally.kills++;
        const victims = rng.below(8) === 0 ? [0, 1] : [rng.below(2)];
        await Promise.all(victims.map((victim) => cluster.kill(victim)));
      }
      load.stop();
      await Promise.all(workers);
      if (load.failure !== null) throw load.failure;
      for (const server of [0, 1]) await load.verify(server);
      // Nothing that counts is on the servers' own disks.
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
      await cluster.start();
      await load.verify(0);
      const { tally } = load;
      process.stdout.write(`      ${JSON.stringify(tally)}\n`);
      expect(tally.kills).to.be.greaterThan(SECONDS / 10);
      expect(Math.min(tally.writes, tally.strongReads, tally.sessionReads)).to.be.greaterThan(SECONDS);
    } finally {
      await cluster.stop();
    }
  });
});

/** The two servers. */
class Cluster {
  readonly #servers: ServerProcess[] = [];
  /** Servers that start again. */
  readonly #starting = new Map<number, Promise<unknown>>();

  constructor(
    private readonly endpoint: string,
    private readonly folder: string,
    private readonly token: string,
  ) {}

  async start(): Promise<void> {
    for (const server of [0, 1]) this.#servers[server] = await this.#startOne(server);
  }

  async kill(server: number): Promise<void> {
    const again = async (): Promise<void> => {
      await this.#servers[server]?.kill();
      this.#servers[server] = await this.#startOne(server);
    };
    const starting = again().finally(() => this.#starting.delete(server));
    this.#starting.set(server, starting);
    await starting;
  }

  /** A server that has not just been killed, at random; waits when there is none. */
  async pick(rng: SeededRng): Promise<number> {
    const first = rng.below(2);
    if (!this.#starting.has(first)) return first;
    if (this.#starting.has(1 - first)) await this.#starting.get(first);
    return this.#starting.has(first) ? 1 - first : first;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  async call<T>(server: number, path: string, body: unknown): Promise<T> {
    const response = await fetch(`${this.#servers[server]?.url}/v1/collections${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  #startOne(server: number): Promise<ServerProcess> {
    const before = this.#servers[server];
    return startServer({
      dataDir: join(this.folder, String(server)),
      env: {
        ...S3_ENVIRONMENT,
        OMENDB_OBJECT_STORE: 's3://bucket/two',
        OMENDB_S3_ENDPOINT: this.endpoint,
        OMENDB_S3_FORCE_PATH_STYLE: 'true',
        OMENDB_HOST: '127.0.0.1',
        OMENDB_JWT_SECRET: SECRET,
        OMENDB_WORKER_THREADS: '1',
        OMENDB_MEMORY_BYTES: String(256 * 1024 * 1024),
        // Folds, merges and collections of garbage are under way at all times.
        OMENDB_FOLD_SLOTS: '8',
        OMENDB_RETENTION: '0ms',
        OMENDB_LOG_LEVEL: 'warn',
      },
      ...(before === undefined ? {} : { ports: before.ports }),
    });
  }
}

/** Writers and readers, and what they know. */
class Load {
  readonly tally: Tally = { writes: 0, unknown: 0, repeats: 0, strongReads: 0, sessionReads: 0, kills: 0 };
  failure: Error | null = null;
  readonly #records = new Map<string, RecordHistory>();
  #stopped = false;
  #requests = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly seed: number,
  ) {}

  stop(): void {
    this.#stopped = true;
  }

  /** Until `count` further writes are acknowledged. */
  async progress(count: number): Promise<void> {
    const target = this.tally.writes + count;
    const deadline = performance.now() + 60_000;
    while (this.tally.writes < target && this.failure === null) {
      if (performance.now() > deadline) throw new Error('the writers do not get on');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Writes batches of its own records, each to either server. */
  async write(writer: number): Promise<void> {
    const rng = new SeededRng(this.seed * 100 + writer);
    await this.#until(async () => {
      const count = 1 + rng.below(BATCH_MAX);
      const ids = new Set(Array.from({ length: count }, () => `${writer}-${rng.below(RECORDS_EACH)}`));
      await this.#batch(rng, [...ids], rng.below(6) === 0);
    });
  }

  /** Reads records of all writers on either server, and expects what was acknowledged before. */
  async read(reader: number): Promise<void> {
    const rng = new SeededRng(this.seed * 100 + 50 + reader);
    await this.#until(async () => {
      const ids = Array.from({ length: 10 }, () => `${rng.below(WRITERS)}-${rng.below(RECORDS_EACH)}`);
      const server = await this.cluster.pick(rng);
      if (await this.#check(server, [...new Set(ids)], { consistency: 'strong' })) this.tally.strongReads++;
    });
  }

  /** Every record, once, as the server shows it to a strong scan. */
  async verify(server: number): Promise<void> {
    const seen = new Map<string, number>();
    let pageToken = '';
    do {
      const request = { pageSize: 100, pageToken, select: ['*'], consistency: 'strong' };
      const page: Page = await this.cluster.call(server, '/killed/records:scan', request);
      for (const { id, attributes } of page.records) {
        expect(seen.has(id), `${id} twice`).to.equal(false);
        seen.set(id, attributes.version);
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    for (const [id, history] of this.#records)
      this.#expect(history.allows(seen.get(id) ?? null, history.newest), {
        id,
        server,
        version: seen.get(id),
      });
    for (const id of seen.keys()) expect(this.#records.has(id), id).to.equal(true);
  }

  async #batch(rng: SeededRng, ids: readonly string[], deletes: boolean): Promise<void> {
    const writes = ids.map((id) => ({ id, version: this.#historyOf(id).begin(deletes) }));
    const requestId = `r${this.#requests++}`;
    const body = deletes
      ? { ids, requestId }
      : { records: writes.map(({ id, version }) => recordOf(id, version)), requestId };
    const path = `/killed/records:${deletes ? 'delete' : 'upsert'}`;
    // Half of the writers come back with the same request, to whichever server; the others never learn.
    const patient = rng.below(2) === 0;
    for (;;) {
      const server = await this.cluster.pick(rng);
      try {
        const receipt = await this.cluster.call<Receipt>(server, path, body);
        for (const { id, version } of writes) this.#historyOf(id).acknowledge(version);
        this.tally.writes++;
        await this.#afterwards(rng, { ids, path, body, receipt });
        return;
      } catch (error) {
        if (this.failure !== null) throw error;
        this.tally.unknown++;
        if (!patient || this.#stopped) return;
      }
    }
  }

  /** Sometimes reads its own write on either server, sometimes repeats the request. */
  async #afterwards(
    rng: SeededRng,
    done: { ids: readonly string[]; path: string; body: object; receipt: Receipt },
  ): Promise<void> {
    const { ids, path, body, receipt } = done;
    const server = await this.cluster.pick(rng);
    if (rng.below(4) === 0) {
      const again = await this.cluster.call<Receipt>(server, path, body).catch(() => null);
      if (again === null) return;
      this.tally.repeats++;
      this.#expect(again.sequenceNumber === receipt.sequenceNumber, { path, receipt, again });
    } else if (rng.below(3) === 0) {
      const session = { consistency: 'session', sessionToken: receipt.sessionToken };
      if (await this.#check(server, ids, session)) this.tally.sessionReads++;
    }
  }

  /** False when the server did not answer. */
  async #check(server: number, ids: readonly string[], options: object): Promise<boolean> {
    const since = new Map(ids.map((id) => [id, this.#historyOf(id).newest]));
    let page: Page;
    try {
      const request = { ids, select: ['*'], ...options };
      page = await this.cluster.call<Page>(server, '/killed/records:batchGet', request);
    } catch {
      await new Promise((resolve) => void setImmediate(resolve));
      return false;
    }
    const versions = new Map(page.records.map(({ id, attributes }) => [id, attributes.version]));
    for (const id of ids) {
      const allowed = this.#historyOf(id).allows(versions.get(id) ?? null, since.get(id) ?? -1);
      this.#expect(allowed, { id, server, ...options, version: versions.get(id), since: since.get(id) });
    }
    return true;
  }

  #expect(condition: boolean, facts: { readonly id?: string; readonly [name: string]: unknown }): void {
    if (condition) return;
    const history = facts.id === undefined ? '' : ` of ${this.#historyOf(facts.id).describe()}`;
    this.failure ??= new Error(`seed ${this.seed}: ${JSON.stringify(facts)}${history}`);
    throw this.failure;
  }

  #historyOf(id: string): RecordHistory {
    const history = this.#records.get(id) ?? new RecordHistory();
    this.#records.set(id, history);
    return history;
  }

  /** Repeats `work` until the end or a failure. */
  async #until(work: () => Promise<void>): Promise<void> {
    while (!this.#stopped && this.failure === null) {
      try {
        await work();
      } catch (error) {
        this.failure ??= error as Error;
      }
    }
  }
}

function recordOf(id: string, version: number): object {
  const vector = Array.from({ length: DIMENSIONS }, (_, dimension) => version + dimension);
  return { id, vector, attributes: { version } };
}
