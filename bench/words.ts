// The GloVe vectors as a client sees them: words with unit vectors, and some queries that are none of them.
import { GLOVE_DIMENSIONS, loadGlove, splitGlove } from './glove.js';
import type { BenchContext } from './report.js';

export interface Words {
  readonly dimensions: number;
  readonly count: number;
  /** Unit vectors, row after row. */
  readonly base: Float32Array;
  readonly queries: readonly Float32Array[];
  word(row: number): string;
  /** The row of a word, or -1. */
  row(word: string): number;
  vector(row: number): Float32Array;
}

export interface WordsOptions {
  /** Most rows to take. */
  readonly base: number;
  readonly queries: number;
  readonly context: Pick<BenchContext, 'progress'>;
}

/** The base and queries that all measurements use. */
export function shuffledWords({ base: rows, queries: count, context }: WordsOptions): Words {
  const glove = loadGlove(context.progress);
  const split = splitGlove(glove, rows);
  const queries = Array.from({ length: count }, (_, at) => rowOf(split.queries, at));
  return wordsOf(split.base, queries, (row) => glove.words[split.baseWords[row] ?? 0] ?? '');
}

/** The most frequent words, most frequent first, without queries. */
export function frequentWords({ base: rows, context }: Omit<WordsOptions, 'queries'>): Words {
  const { words, vectors } = loadGlove(context.progress);
  const base = Float32Array.from(vectors.subarray(0, Math.min(rows, words.length) * GLOVE_DIMENSIONS));
  for (let at = 0; at < base.length; at += GLOVE_DIMENSIONS) {
    const row = base.subarray(at, at + GLOVE_DIMENSIONS);
    const norm = Math.hypot(...row);
    for (let d = 0; d < GLOVE_DIMENSIONS; d++) row[d] = (row[d] ?? 0) / norm;
  }
  return wordsOf(base, [], (row) => words[row] ?? '');
}

function wordsOf(base: Float32Array, queries: readonly Float32Array[], word: (row: number) => string): Words {
  const count = base.length / GLOVE_DIMENSIONS;
  let rows: Map<string, number> | undefined;
  return {
    dimensions: GLOVE_DIMENSIONS,
    count,
    base,
    queries,
    word,
    row: (name) => {
      rows ??= new Map(Array.from({ length: count }, (_, row) => [word(row), row]));
      return rows.get(name) ?? -1;
    },
    vector: (row) => rowOf(base, row),
  };
}

function rowOf(vectors: Float32Array, row: number): Float32Array {
  return vectors.subarray(row * GLOVE_DIMENSIONS, (row + 1) * GLOVE_DIMENSIONS);
}
