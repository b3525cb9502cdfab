// hnswlib-node over the same vectors: what the engine is compared with. Its index takes minutes to build, so
// it is kept in .cache with the time that building took; delete the file to measure that anew.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import hnswlib from 'hnswlib-node';
import type { Searcher } from './engine-measure.js';
import { cpuSeconds } from './engine-measure.js';
import { ROOT } from './report.js';

const FOLDER = join(ROOT, '.cache', 'hnswlib');
const M = 16;
const EF_CONSTRUCTION = 200;

export interface Rival {
  readonly buildSeconds: number;
  /** The build was measured in an earlier run on the same machine. */
  readonly kept: boolean;
  readonly file: string;
  /** With so many candidates per query (`ef`). */
  searcher(ef: number): Searcher;
}

interface Kept {
  readonly cpu: string;
  readonly buildSeconds: number;
}

/** Builds the index or takes the kept one. `base` holds unit vectors without gaps, `name` names them. */
export function openRival(
  base: Float32Array,
  queries: readonly Float32Array[],
  k: number,
  name = 'glove',
): Rival {
  const dimensions = queries[0]?.length ?? 1;
  const rows = base.length / dimensions;
  const file = rivalFile(name, rows);
  const kept = readKept(file);
  const index = new hnswlib.HierarchicalNSW('ip', dimensions);
  const buildSeconds = kept?.buildSeconds ?? build(index, base, dimensions, file);
  if (kept !== null) index.readIndexSync(file);
  // The addon takes ordinary arrays; converting is not counted.
  const arrays = queries.map((query) => Array.from(query));
  return {
    buildSeconds,
    kept: kept !== null,
    file,
    searcher: (ef) => {
      index.setEf(ef);
      return (query) => index.searchKnn(arrays[query] ?? [], k).neighbors;
    },
  };
}

/** Loads the kept index: for the process that measures its memory. */
export function loadRival(file: string, dimensions: number): unknown {
  const index = new hnswlib.HierarchicalNSW('ip', dimensions);
  index.readIndexSync(file);
  return index;
}

function build(index: hnswlib.HierarchicalNSW, base: Float32Array, dimensions: number, file: string): number {
  const rows = base.length / dimensions;
  index.initIndex({ maxElements: rows, m: M, efConstruction: EF_CONSTRUCTION, randomSeed: 100 });
  const started = process.cpuUsage();
  for (let row = 0; row < rows; row++) {
    index.addPoint(Array.from(base.subarray(row * dimensions, (row + 1) * dimensions)), row);
  }
  const buildSeconds = cpuSeconds(started);
  mkdirSync(FOLDER, { recursive: true });
  index.writeIndexSync(file);
  const about: Kept = { cpu: machine(), buildSeconds };
  writeFileSync(`${file}.json`, JSON.stringify(about));
  return buildSeconds;
}

/** Whether it was built on this machine before: that takes minutes. */
export function rivalIsKept(name: string, rows: number): boolean {
  return readKept(rivalFile(name, rows)) !== null;
}

function rivalFile(name: string, rows: number): string {
  return join(FOLDER, `${name}-${rows}-m${M}-ef${EF_CONSTRUCTION}.bin`);
}

function readKept(file: string): Kept | null {
  if (!existsSync(file) || !existsSync(`${file}.json`)) return null;
  const kept = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Kept;
  return kept.cpu === machine() ? kept : null;
}

function machine(): string {
  return cpus()[0]?.model ?? 'unknown';
}
