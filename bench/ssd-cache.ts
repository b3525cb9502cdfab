// The cache on disk by itself: reads, writes, memory, starts, and what its choice of what to keep is worth.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SsdBlockCache } from '#server/adapters/ssd-cache/ssd-block-cache.js';
import { SystemClock } from '#server/adapters/system/clock.js';
import { SystemScheduler } from '#server/adapters/system/scheduler.js';
import { PieceIndex } from '#server/core/tiers/piece-index.js';
import { S3Fifo } from '#server/core/tiers/s3-fifo.js';
import type { PieceKey } from '#server/ports/block-cache.js';
import type { CacheRequest } from '#support/cache-traces.js';
import { bestPossible, leastRecentlyUsed, replay, zipfTrace } from '#support/cache-traces.js';
import { silentLogger } from '#support/log-node.js';
import { SeededRng } from '#support/seeded-rng.js';
import type { BenchContext, Report, Table } from './report.js';
import { percentile } from './report.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const IN_FLIGHT = [1, 32] as const;
const PIECE_BYTES = [16 * KIB, 64 * KIB] as const;

/** Reads, writes, starts and memory of the cache on disk, and its hits beside those of other choices. */
export async function ssdCacheSuite(context: BenchContext): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'omendb-bench-cache-'));
  try {
    const tables = [...(await speedTables(context, folder)), memoryTable(), await hitTable(context, folder)];
    return { tables, goals: [] };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function open(folder: string, capacityBytes: number): SsdBlockCache {
  return SsdBlockCache.open(
    { folder, capacityBytes, store: 'bench', format: 1 },
    {
      clock: new SystemClock(),
      scheduler: new SystemScheduler(),
      logger: silentLogger,
      nonce: '00000000',
    },
  );
}

function keyOf(n: number, length: number): PieceKey {
  return { object: `n/4c1f9a3b/s/${String(n >> 8).padStart(20, '0')}`, offset: (n & 255) * length, length };
}

async function speedTables({ progress, quick }: BenchContext, folder: string): Promise<Table[]> {
  const bytes = (quick ? 64 : 768) * MIB;
  const puts: (string | number)[][] = [];
  const gets: (string | number)[][] = [];
  const starts: (string | number)[][] = [];
  for (const length of PIECE_BYTES) {
    const size = `${length / KIB} KiB`;
    const place = join(folder, size);
    const cache = open(place, 1.5 * bytes);
    const pieces = bytes / length;
    progress(`puts, ${size}`);
    puts.push([size, pieces, ...(await putAll(cache, pieces, length))]);
    for (const where of ['page cache', 'disk']) {
      for (const inFlight of IN_FLIGHT) {
        progress(`gets, ${size}, ${inFlight} in flight, from the ${where}`);
        if (where === 'disk') await dropPages(place);
        const row = await getMany(cache, { pieces, length, inFlight, gets: quick ? 1000 : 8000 });
        gets.push([size, where, inFlight, ...row]);
      }
    }
    await cache.close();
    progress(`starts, ${size}`);
    starts.push([size, 'directories', ...(await start(place, 1.5 * bytes))]);
    await cutTrailers(place);
    starts.push([size, 'every record', ...(await start(place, 1.5 * bytes))]);
  }
  return [
    { title: 'Pieces put on disk', columns: ['piece', 'pieces', 'MB/s', 'µs of the caller'], rows: puts },
    {
      title: 'Pieces got from disk',
      columns: ['piece', 'from', 'in flight', 'p50 µs', 'p99 µs', 'gets/s', 'MB/s'],
      rows: gets,
      notes: [`threads for files: ${process.env['UV_THREADPOOL_SIZE'] ?? '4, as Node has it'}`],
    },
    { title: 'Start', columns: ['piece', 'reads', 'pieces', 's per GB'], rows: starts },
  ];
}

/** MB/s until all is written, and what a put costs the thread that calls it. */
async function putAll(cache: SsdBlockCache, pieces: number, length: number): Promise<number[]> {
  const body = new SeededRng(1).bytes(length);
  const perRound = (8 * MIB) / length;
  const begun = performance.now();
  let inPut = 0;
  for (let n = 0; n < pieces; n += perRound) {
    const started = performance.now();
    for (let at = n; at < Math.min(pieces, n + perRound); at++) {
      cache.put(keyOf(at, length), body, { admitAtOnce: true });
    }
    inPut += performance.now() - started;
    await cache.settled();
  }
  const ms = performance.now() - begun;
  if (cache.usage.stored !== pieces) throw new Error(`stored ${cache.usage.stored} of ${pieces} pieces`);
  return [(pieces * length) / 1000 / ms, (inPut * 1000) / pieces];
}

interface Gets {
  readonly pieces: number;
  readonly length: number;
  readonly inFlight: number;
  readonly gets: number;
}

async function getMany(cache: SsdBlockCache, { pieces, length, inFlight, gets }: Gets): Promise<number[]> {
  const rng = new SeededRng(2);
  const times = new Float64Array(gets);
  let next = 0;
  const run = async (): Promise<void> => {
    const into = new Uint8Array(new SharedArrayBuffer(length));
    while (next < gets) {
      const index = next++;
      const started = performance.now();
      if ((await cache.get(keyOf(rng.below(pieces), length), into)) === undefined) throw new Error('a miss');
      times[index] = (performance.now() - started) * 1000;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, run));
  const seconds = (performance.now() - started) / 1000;
  times.sort();
  return [percentile(times, 0.5), percentile(times, 0.99), gets / seconds, (gets * length) / 1e6 / seconds];
}

async function start(folder: string, capacityBytes: number): Promise<number[]> {
  await dropPages(folder);
  const cache = open(folder, capacityBytes);
  const { pieces, seconds, bytes } = await cache.loaded;
  await cache.close();
  return [pieces, seconds / (bytes / 1e9)];
}

async function slabsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.slab')).map((name) => join(folder, name));
}

/** Takes the files out of the system's memory, and nothing else. */
async function dropPages(folder: string): Promise<void> {
  for (const path of await slabsIn(folder)) {
    spawnSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']);
  }
}

/** As if the process had been killed before any slab was full. */
async function cutTrailers(folder: string): Promise<void> {
  for (const path of await slabsIn(folder)) await truncate(path, (await stat(path)).size - 32);
}

function memoryTable(): Table {
  const rng = new SeededRng(3);
  const index = new PieceIndex(1024 * MIB);
  const rows: number[][] = [];
  const empty = index.bytes;
  let perSet = performance.now();
  for (let n = 1; n <= 1_000_000; n++) {
    index.set({ high: rng.uint32(), low: rng.uint32() }, n, { slab: n & 1023, offset: 16 * n });
    if (n !== 100_000 && n !== 300_000 && n !== 1_000_000) continue;
    perSet = performance.now() - perSet;
    rows.push([n, (index.bytes - empty) / n, (perSet * 1000) / n]);
    perSet = performance.now();
  }
  return {
    title: 'Index of pieces in memory',
    columns: ['pieces', 'bytes per piece', 'µs per piece'],
    rows,
    notes: [`besides, ${Math.round(empty / KIB)} KiB whatever it holds`],
  };
}

async function hitTable({ progress, quick }: BenchContext, folder: string): Promise<Table> {
  const keys = quick ? 1000 : 8000;
  const rows: (string | number)[][] = [];
  for (const skew of [0.8, 1, 1.2]) {
    for (const scans of [{}, { scanEvery: 2000, scanKeys: 800 }]) {
      const scanned = 'scanEvery' in scans;
      progress(`hits at skew ${skew}${scanned ? ' with scans' : ''}`);
      const bytes = [4 * KIB, 32 * KIB] as const;
      const trace = zipfTrace(new SeededRng(7), { keys, requests: keys * 8, skew, bytes, ...scans });
      const capacity = Math.max(4 * MIB, Math.floor(keys * 18 * KIB * 0.3));
      const kept = new S3Fifo<number>({ capacityBytes: capacity });
      const s3Fifo = replay(trace, ({ key, bytes: size }) => {
        const hit = kept.touch(key);
        if (!hit) kept.insert(key, size);
        return hit;
      });
      const place = join(folder, `hits-${skew}-${scanned ? 1 : 0}`);
      rows.push([
        ...[skew, scanned ? 'yes' : 'no', Math.round(capacity / MIB)],
        replay(trace, leastRecentlyUsed(capacity)).requests,
        s3Fifo.requests,
        ...(await hitsOnDisk(place, trace, capacity)),
        replay(trace, bestPossible(trace, capacity)).requests,
      ]);
    }
  }
  return {
    title: 'Share of requests that hit: 30 % of the bytes fit, popularity by Zipf',
    columns: ['skew', 'scans', 'MiB', 'LRU', 'S3-FIFO', 'on disk', 'moved/stored', 'best possible'],
    rows,
    notes: ['on disk: 80 to 90 % of the room is used, and a piece is taken at its second touch'],
  };
}

/** Hits, and bytes that eviction wrote again for each byte that was stored. */
async function hitsOnDisk(
  folder: string,
  trace: readonly CacheRequest[],
  capacityBytes: number,
): Promise<number[]> {
  const cache = open(folder, capacityBytes);
  const body = new Uint8Array(32 * KIB);
  for (const [at, { key, bytes }] of trace.entries()) {
    const piece = { object: `o/${key}`, offset: 0, length: bytes };
    if ((await cache.get(piece, body)) === undefined) cache.put(piece, body.subarray(0, bytes));
    if (at % 256 === 0) await cache.settled();
  }
  const { hits, movedBytes, storedBytes } = cache.usage;
  await cache.close();
  return [hits / trace.length, movedBytes / storedBytes];
}
