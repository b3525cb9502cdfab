// A real S3 server behind the latency of S3, and a server of ours that is started on its bucket again and
// again: with an empty folder (cold), with the folder that the last one left (warm), with much or little
// memory.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OmenClient } from '#sdk/index.js';
import type { BulkOptions, Collection } from '#sdk/index.js';
import { startLatencyProxy } from '#support/latency-proxy.js';
import type { LatencyProxy } from '#support/latency-proxy.js';
import { startS3Server } from '#support/s3-server.js';
import type { S3Server } from '#support/s3-server.js';
import { S3_ENVIRONMENT } from '#support/s3-store.js';
import type { ServerProcess } from '#support/server-process.js';
import { startServer } from '#support/server-process.js';
import { tokenFor } from '#support/token.js';
import type { BenchContext } from './report.js';
import type { TierSet } from './tiers-sets.js';
import { rowOf } from './tiers-sets.js';

const MIB = 2 ** 20;
/** As S3 is seen from the same region: to the first byte, then what one connection carries. */
export const STORE = {
  get: { p50: 25, p99: 60 },
  put: { p50: 60, p99: 200 },
  bytesPerSecond: 80e6,
  seed: 7,
} as const;
/** The least that the server takes for vectors and indexes. */
export const TINY_BYTES = 128 * MIB;
const SECRET = 'a bench of tiers on one bucket: a secret for nobody';
/** Nothing is merged any more when nothing was for so long. */
const REST_MS = 2500;
const LOAD_MS_MAX = 900_000;

/** A server of ours and a client of it. */
export interface TierNode {
  readonly server: ServerProcess;
  readonly client: OmenClient;
  /** What it asks of S3. */
  readonly store: LatencyProxy;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Folder of the server; a new, empty one unless given. */
  readonly folder?: string;
  readonly memoryBytes?: number;
  /** Without the latency of S3: to load, where nothing is measured about S3. */
  readonly direct?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** How a set was loaded. */
export interface Loaded {
  readonly durableS: number;
  /** Until everything was in segments and no merge came any more. */
  readonly restS: number;
  /** Processor time of the server until then. */
  readonly cpuS: number;
  /** Most resident memory of the server until then. */
  readonly peakMiB: number;
  readonly segments: number;
  /** In object storage. */
  readonly bytes: number;
}

export class TierWorld {
  readonly #folder = mkdtempSync(join(tmpdir(), 'omendb-bench-tiers-'));
  readonly #loaded = new Map<string, Loaded>();
  readonly #nodes = new Set<TierNode>();
  #folders = 0;

  private constructor(
    private readonly context: BenchContext,
    private readonly s3: S3Server,
    private readonly store: LatencyProxy,
    private readonly token: string,
  ) {}

  static async open(context: BenchContext): Promise<TierWorld> {
    const s3 = await startS3Server('versitygw');
    const store = await startLatencyProxy(s3.endpoint, STORE);
    return new TierWorld(context, s3, store, await tokenFor('bench', SECRET));
  }

  /** The path of a folder that does not exist yet. */
  newFolder(): string {
    return join(this.#folder, `server-${this.#folders++}`);
  }

  async start(options: StartOptions = {}): Promise<TierNode> {
    const { memoryBytes, direct = false } = options;
    const server = await startServer({
      dataDir: options.folder ?? this.newFolder(),
      env: {
        ...S3_ENVIRONMENT,
        OMENDB_OBJECT_STORE: 's3://bucket/tiers',
        OMENDB_S3_ENDPOINT: direct ? this.s3.endpoint : this.store.endpoint,
        OMENDB_S3_FORCE_PATH_STYLE: 'true',
        OMENDB_HOST: '127.0.0.1',
        OMENDB_JWT_SECRET: SECRET,
        OMENDB_LOG_LEVEL: 'warn',
        // Repeating queries exactly reads everything.
        OMENDB_RECALL_SAMPLE: '0',
        OMENDB_RETENTION: '0ms',
        // Whatever is free on this disk.
        OMENDB_CACHE_BYTES: '8Gi',
        ...(memoryBytes === undefined ? {} : { OMENDB_MEMORY_BYTES: String(memoryBytes) }),
        ...options.env,
      },
    });
    const client = new OmenClient({ endpoint: server.url, token: this.token });
    const node: TierNode = {
      ...{ server, client, store: this.store },
      stop: async () => {
        this.#nodes.delete(node);
        await client.close();
        await server.stop();
      },
    };
    this.#nodes.add(node);
    return node;
  }

  /** Loads a set into a collection of its name, unless it is there already. */
  async load(set: TierSet, env: Readonly<Record<string, string>> = {}, name = set.name): Promise<Loaded> {
    const known = this.#loaded.get(name);
    if (known !== undefined) return known;
    this.context.progress(`loading ${set.count} × ${set.dimensions} into ${name}`);
    const node = await this.start({ direct: true, env });
    try {
      const loaded = await loadInto(node, set, name);
      this.#loaded.set(name, loaded);
      this.context.progress(
        `${name}: at rest after ${loaded.restS.toFixed(1)} s, ${loaded.segments} segments, ` +
          `${(loaded.bytes / MIB).toFixed(0)} MiB`,
      );
      // What fails in the background is tried again and again, and looks like rest meanwhile.
      const failed = node.server
        .output()
        .split('\n')
        .find((line) => line.includes('"level":"error"'));
      if (failed !== undefined) this.context.progress(`${name}: the server says ${failed.slice(0, 300)}`);
      return loaded;
    } finally {
      await node.stop();
    }
  }

  async close(): Promise<void> {
    for (const node of [...this.#nodes]) await node.stop();
    await this.store.stop();
    await this.s3.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Creates the collection, loads it, and waits until it is at rest. */
export async function loadInto(
  { server, client }: Pick<TierNode, 'server' | 'client'>,
  set: TierSet,
  name = set.name,
  options: BulkOptions = {},
): Promise<Loaded> {
  await client.collections.create({ name, dimensions: set.dimensions, metric: 'cosine' });
  const collection = client.collection(name);
  const [cpuBefore, started] = [cpuSeconds(server.pid), performance.now()];
  await collection.bulk(recordsOf(set), options);
  const durableS = (performance.now() - started) / 1000;
  const { segments, bytes, restedMs } = await untilAtRest(collection);
  const restS = (restedMs - started) / 1000;
  const cpuS = cpuSeconds(server.pid) - cpuBefore;
  return { durableS, restS, cpuS, peakMiB: peakMiB(server.pid), segments, bytes };
}

/**
 * Waits until every record is indexed and neither flush nor merge comes any more; `restedMs` is when the
 * last one ended.
 */
export async function untilAtRest(
  collection: Collection,
): Promise<{ readonly segments: number; readonly bytes: number; readonly restedMs: number }> {
  const deadline = performance.now() + LOAD_MS_MAX;
  let restedMs = performance.now();
  let last = '';
  for (;;) {
    const { records, unindexedRecords, jobs, segments, bytes } = await collection.stats();
    const now = performance.now();
    const state = `${records} ${segments} ${bytes}`;
    if (unindexedRecords > 0 || jobs.length > 0 || state !== last) restedMs = now;
    else if (now - restedMs >= REST_MS) return { segments, bytes, restedMs };
    last = state;
    if (now > deadline)
      throw new Error(`the collection is not at rest: ${unindexedRecords} unindexed, ${state}`);
    await passes(100);
  }
}

export function passes(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

function* recordsOf(set: TierSet): Generator<{ id: string; vector: Float32Array }> {
  for (let row = 0; row < set.count; row++) {
    const attributes = set.attributes?.(row);
    yield { id: String(row), vector: rowOf(set, row), ...(attributes === undefined ? {} : { attributes }) };
  }
}

/** Resident memory of a process, MiB; NaN where the system does not tell. */
export function residentMiB(pid: number): number {
  return fromStatus(pid, 'VmRSS');
}

/** Most memory that a process ever had in RAM, MiB; NaN where the system does not tell. */
export function peakMiB(pid: number): number {
  return fromStatus(pid, 'VmHWM');
}

function fromStatus(pid: number, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Processor time of a process so far, of all its threads; NaN where the system does not tell. */
export function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    // The kernel counts in hundredths of a second.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}
