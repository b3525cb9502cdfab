// The data that tiers are measured on: GloVe, a synthetic mixture as large as wanted, and text embeddings
// with attributes. All are unit vectors, compared by cosine; queries are not in the base.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyAttributes } from '#sdk/index.js';
import { GLOVE_DIMENSIONS, loadGlove, splitGlove } from './glove.js';
import type { BenchContext } from './report.js';
import { ROOT } from './report.js';
import { Mixture } from './synthetic.js';
import { exactNeighbours } from './truth.js';

/** Hits that are asked for and compared. */
export const K = 10;

const CACHE = join(ROOT, '.cache');
/** Where the text set lies: `wordnet-384.f16` and `wordnet-384.jsonl`. */
const TEXT_FOLDER = process.env['BENCH_TEXT_FOLDER'] ?? join(CACHE, 'text');
const TEXT_DIMENSIONS = 384;
const TEXT_QUERIES = 1000;
const TEXT_QUERIES_QUICK = 300;
const SYNTHETIC_DIMENSIONS = 128;
const SYNTHETIC_CLUSTERS = 400;
const SYNTHETIC_SEED = 7;
const SYNTHETIC_QUERIES = 300;

export interface TierSet {
  /** Name of its collection. */
  readonly name: string;
  readonly title: string;
  readonly dimensions: number;
  readonly count: number;
  /** Row after row. */
  readonly base: Float32Array;
  readonly queries: readonly Float32Array[];
  /** Of a row of the base; only the text set has any. */
  readonly attributes?: (row: number) => TextAttributes;
  /** What a row of the base is about. */
  readonly subjectOf?: (row: number) => Subject;
  /** What each query is about. */
  readonly subjects?: readonly Subject[];
}

/** What a text is about. */
export interface Subject {
  /** Part of speech. */
  readonly pos: string;
  /** One of 45 fields of meaning. */
  readonly category: number;
}

/** About nothing: where there is no query or row of that number. */
export const NO_SUBJECT: Subject = { pos: '', category: 0 };

/** One of so many rows has `oneOf…`, at random. */
export const ONE_OF = [1000, 100, 10, 2] as const;

export type TextAttributes = AnyAttributes & Subject;

/** All of GloVe. */
export function gloveSet(context: BenchContext): TierSet {
  const { base, queries } = splitGlove(loadGlove(context.progress), Infinity);
  return setOf('glove', `GloVe ${GLOVE_DIMENSIONS}-d`, GLOVE_DIMENSIONS, base, queries);
}

/**
 * A mixture of 400 clusters; sets of different sizes are samples of the same mixture. A set that was made
 * last is not made again.
 */
export function syntheticSet(rows: number): TierSet {
  if (lastSynthetic?.count === rows) return lastSynthetic;
  const mixture = newMixture();
  const { dimensions } = mixture.options;
  const queries = mixture.rows(SYNTHETIC_QUERIES);
  const title = `synthetic ${dimensions}-d`;
  lastSynthetic = setOf(`synthetic-${rows}`, title, dimensions, mixture.rows(rows), queries);
  return lastSynthetic;
}

let lastSynthetic: TierSet | undefined;

/** What `syntheticSet` draws from. */
export function newMixture(): Mixture {
  return new Mixture({
    dimensions: SYNTHETIC_DIMENSIONS,
    clusters: SYNTHETIC_CLUSTERS,
    seed: SYNTHETIC_SEED,
  });
}

/** The text set, or undefined when its files are not there; then it says where they should be. */
export function textSet(context: BenchContext): TierSet | undefined {
  const [vectors, lines] = ['wordnet-384.f16', 'wordnet-384.jsonl'].map((name) => join(TEXT_FOLDER, name));
  if (vectors === undefined || lines === undefined || !existsSync(vectors) || !existsSync(lines)) {
    context.progress(
      `no text set: put wordnet-384.f16 and .jsonl into ${TEXT_FOLDER}, or set BENCH_TEXT_FOLDER`,
    );
    return undefined;
  }
  const all = unitRows(halfFloats(readFileSync(vectors)), TEXT_DIMENSIONS);
  const texts = readFileSync(lines, 'utf8').trimEnd().split('\n');
  const subjects = texts.map((line) => JSON.parse(line) as Subject);
  const from = texts.length - TEXT_QUERIES;
  const split = from * TEXT_DIMENSIONS;
  const asked = context.quick ? TEXT_QUERIES_QUICK : TEXT_QUERIES;
  const queries = all.subarray(split, split + asked * TEXT_DIMENSIONS);
  return {
    ...setOf('text', `text ${TEXT_DIMENSIONS}-d`, TEXT_DIMENSIONS, all.subarray(0, split), queries),
    subjectOf: (row) => subjects[row] ?? NO_SUBJECT,
    attributes: (row) => {
      const { pos, category } = subjects[row] ?? NO_SUBJECT;
      const drawn = ONE_OF.map((oneOf) => [`oneOf${oneOf}`, isOneOf(row, oneOf)] as const);
      return { pos, category, ...Object.fromEntries(drawn) };
    },
    subjects: subjects.slice(from),
  };
}

/** Whether a row is among those that `oneOf…` is true for. */
export function isOneOf(row: number, oneOf: number): boolean {
  // By a hash (Knuth, 6.4), so that it has nothing to do with the order of the rows.
  return (Math.imul(row + 1, 2_654_435_761) >>> 8) % oneOf === 0;
}

export function rowOf(set: Pick<TierSet, 'base' | 'dimensions'>, row: number): Float32Array {
  return set.base.subarray(row * set.dimensions, (row + 1) * set.dimensions);
}

/**
 * The exact answers to the first `count` queries, kept in .cache between runs. `rows`: only these may be
 * found.
 */
export function truthOf(set: TierSet, count: number, rows?: Uint32Array): Uint32Array[] {
  const queries = set.queries.slice(0, count);
  const hash = createHash('sha256');
  for (const part of [set.base, ...queries, ...(rows === undefined ? [] : [rows])]) {
    hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  const folder = join(CACHE, 'truth');
  const file = join(folder, `${set.name}-${count}-${hash.digest('hex').slice(0, 16)}.u32`);
  if (existsSync(file)) return readTruth(readFileSync(file), count);
  const truth = exactNeighbours(set.base, queries, K, rows);
  mkdirSync(folder, { recursive: true });
  const flat = new Uint32Array(count * (K + 1));
  truth.forEach((found, query) => flat.set([found.length, ...found], query * (K + 1)));
  writeFileSync(file, new Uint8Array(flat.buffer));
  return truth;
}

/** For each query the number of its neighbours, then room for `K` of them. */
function readTruth(bytes: Uint8Array, count: number): Uint32Array[] {
  const flat = new Uint32Array(bytes.slice().buffer);
  return Array.from({ length: count }, (_, query) => {
    const at = query * (K + 1);
    return flat.slice(at + 1, at + 1 + (flat[at] ?? 0));
  });
}

function setOf(
  name: string,
  title: string,
  dimensions: number,
  base: Float32Array,
  queries: Float32Array,
): TierSet {
  const rows = queries.length / dimensions;
  return {
    ...{ name, title, dimensions, base, count: base.length / dimensions },
    queries: Array.from({ length: rows }, (_, row) =>
      queries.subarray(row * dimensions, (row + 1) * dimensions),
    ),
  };
}

/** IEEE 754 binary16, little endian. */
function halfFloats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 2 }, (_, at) => {
    const bits = view.getUint16(at * 2, true);
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return (sign * fraction) / 2 ** 24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/** Rounding to halves left lengths a little off one. */
function unitRows(values: Float32Array, dimensions: number): Float32Array {
  for (let at = 0; at < values.length; at += dimensions) {
    const row = values.subarray(at, at + dimensions);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let d = 0; d < dimensions; d++) row[d] = (row[d] ?? 0) / norm;
  }
  return values;
}
