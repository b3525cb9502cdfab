// The engine against hnswlib-node: real vectors, one thread each, the same recall, in one process and one
// run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildOwn } from './engine-index.js';
import type { Latency } from './engine-measure.js';
import { measureLatency, recallOf, smallestReaching } from './engine-measure.js';
import { openRival } from './engine-rival.js';
import type { Glove } from './glove.js';
import { GLOVE_DIMENSIONS, loadGlove, splitGlove } from './glove.js';
import { METRICS } from '#server/core/vector/metric.js';
import type { BenchContext, Cell, Goal, Report, Table } from './report.js';

const K = 10;
const RECALL = 0.95;
const ROUNDS = 5;
const RIVAL = 'hnswlib-node';

/** Rows, and the share of the rival's median latency that is allowed. */
const SIZES = [
  { rows: 100_000, latencyMax: 0.55 },
  { rows: 340_479, latencyMax: 0.75 },
] as const;
const QUICK_SIZES = [{ rows: 20_000, latencyMax: 0.55 }] as const;
const BUILD_MAX = 1 / 8;
const SHARES = [0.001, 0.01, 0.1, 0.5, 1] as const;

const COLUMNS = [
  'rows',
  'index',
  'setting',
  'recall@10',
  'p50 µs',
  'p99 µs',
  'build CPU s',
  'bytes/vector',
  'RSS/vector',
];

export function engineSuite(context: BenchContext): Promise<Report> {
  const results = (context.quick ? QUICK_SIZES : SIZES).map((size) => compare(context, size));
  return Promise.resolve({
    tables: [
      {
        title: `Engine: GloVe, ${GLOVE_DIMENSIONS} dimensions, cosine, k = ${K}, one thread`,
        columns: COLUMNS,
        rows: results.flatMap(({ rows }) => rows),
        notes: [
          `"≥ ${RECALL}": the smallest setting that reaches this recall on the 1 000 queries; "default": as calibrated by the build`,
          'RSS: what a process of its own grows by when it loads the index',
          ...results.flatMap(({ notes }) => notes),
        ],
      },
      filterTable(context),
    ],
    goals: results.flatMap(({ goals }) => goals),
  });
}

/**
 * Recall under filters, searched by clusters even where the engine would compare the few matching rows one by
 * one.
 */
function filterTable(context: BenchContext): Table {
  const rows = context.quick ? 20_000 : 100_000;
  const glove = loadGlove(context.progress);
  const split = splitGlove(glove, rows);
  const queries = [...split.queryWords].map((word) => wordVector(glove, word));
  const base = new Float32Array(rows * GLOVE_DIMENSIONS);
  split.baseWords.forEach((word, row) => base.set(wordVector(glove, word), row * GLOVE_DIMENSIONS));
  return {
    title: `Engine under filters: ${rows} GloVe vectors as published, k = ${K}, recall target ${RECALL}`,
    columns: ['metric', 'matching %', 'recall@10', 'p50 µs'],
    rows: METRICS.flatMap((metric) => {
      context.progress(`filters by ${metric}`);
      const own = buildOwn(base, queries, K, metric);
      return SHARES.map((share) => {
        const { recall, p50Us } = own.filtered(share);
        return [metric, share * 100, recall, p50Us];
      });
    }),
    notes: ['rows match at random; the exact answers are those of a scan of all matching rows'],
  };
}

function wordVector(glove: Glove, word: number): Float32Array {
  return glove.vectors.slice(word * GLOVE_DIMENSIONS, (word + 1) * GLOVE_DIMENSIONS);
}

interface Comparison {
  readonly rows: readonly (readonly Cell[])[];
  readonly goals: readonly Goal[];
  readonly notes: readonly string[];
}

function compare(context: BenchContext, size: (typeof SIZES | typeof QUICK_SIZES)[number]): Comparison {
  const split = splitGlove(loadGlove(context.progress), size.rows);
  const queries = rowsOf(split.queries);
  context.progress(`building the index of ${size.rows} rows`);
  const own = buildOwn(split.base, queries, K);
  context.progress(`building or loading ${RIVAL}`);
  const rival = openRival(split.base, queries, K);

  const nprobe = smallestReaching(RECALL, 1, own.view.clusters, (setting) =>
    recallOf(own.searcher({ nprobe: setting }), own.truth),
  );
  const ef = smallestReaching(RECALL, K, 1000, (setting) => recallOf(rival.searcher(setting), own.truth));
  context.progress('measuring latencies');
  const searchers = [
    () => own.searcher({ nprobe }),
    () => rival.searcher(ef),
    () => own.searcher({}),
  ] as const;
  const [mine = NONE, theirs = NONE, standard = NONE] = measureLatency(searchers, queries.length, ROUNDS);
  const recalls = searchers.map((prepare) => recallOf(prepare(), own.truth));

  context.progress('measuring memory');
  const memory = measureMemory(own.save, rival.file, size.rows);
  const row = (index: string, setting: string, number: number, latency: Latency, rest: readonly Cell[]) => [
    ...[size.rows, index, setting, recalls[number] ?? 0],
    ...[latency.p50Us, latency.p99Us, ...rest],
  ];
  const ownRest = [own.buildSeconds, own.bytes / size.rows, memory.own];
  return {
    rows: [
      row('OmenDB', `nprobe ${nprobe} (≥ ${RECALL})`, 0, mine, ownRest),
      row('OmenDB', 'default', 2, standard, ownRest),
      row(RIVAL, `ef ${ef} (≥ ${RECALL})`, 1, theirs, [rival.buildSeconds, '', memory.rival]),
    ],
    goals: [
      ratio(`p50 at ${size.rows} rows, recall ≥ ${RECALL}`, mine.p50Us, theirs.p50Us, size.latencyMax),
      ratio(`index build of ${size.rows} rows`, own.buildSeconds, rival.buildSeconds, BUILD_MAX),
      ratio(`resident memory per vector, ${size.rows} rows`, memory.own, memory.rival, 1),
      {
        what: `recall by default at ${size.rows} rows`,
        want: `≥ ${RECALL}`,
        got: (recalls[2] ?? 0).toFixed(4),
        met: (recalls[2] ?? 0) >= RECALL,
      },
    ],
    notes: [
      `${size.rows} rows: ${own.view.clusters} clusters, ${own.variant} kernels; clustering ${own.planSeconds.toFixed(2)} s, ` +
        `coding and calibrating ${own.calibrateSeconds.toFixed(2)} s`,
      ...(rival.kept
        ? [`${RIVAL}, ${size.rows} rows: index and build time kept from an earlier run on this machine`]
        : []),
    ],
  };
}

const NONE: Latency = { p50Us: Number.NaN, p99Us: Number.NaN };

function ratio(what: string, own: number, rival: number, max: number): Goal {
  const share = own / rival;
  return {
    what: `${what}, share of ${RIVAL}'s`,
    want: `≤ ${max}`,
    got: share.toFixed(3),
    met: share <= max,
  };
}

function rowsOf(values: Float32Array): Float32Array[] {
  const rows = values.length / GLOVE_DIMENSIONS;
  return Array.from({ length: rows }, (_, row) =>
    values.slice(row * GLOVE_DIMENSIONS, (row + 1) * GLOVE_DIMENSIONS),
  );
}

/** Bytes per vector that a process grows by. */
function measureMemory(
  save: (file: string) => void,
  rivalFile: string,
  rows: number,
): { readonly own: number; readonly rival: number } {
  const folder = mkdtempSync(join(tmpdir(), 'omendb-bench-'));
  try {
    const file = join(folder, 'segment');
    save(file);
    const script = fileURLToPath(new URL('engine-memory.js', import.meta.url));
    const measure = (kind: string, path: string): number => {
      const args = ['--expose-gc', script, kind, path, String(GLOVE_DIMENSIONS)];
      return Number(execFileSync(process.execPath, args, { encoding: 'utf8' })) / rows;
    };
    return { own: measure('own', file), rival: measure('rival', rivalFile) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
