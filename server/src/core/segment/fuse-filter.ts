/*
 * A set of 64-bit hashes in about nine bits each that answers "surely not" or "perhaps" (1 in 256 by mistake)
 * with three memory reads.
 *
 * Method: 3-wise binary fuse filter with 8-bit fingerprints; Graf and Lemire, "Binary Fuse Filters: Fast and
 * Smaller Than Xor Filters", 2022, doi 10.1145/3510449. A key's fingerprint is the xor of three cells in
 * neighbouring segments of the array; building peels off, again and again, a key that has a cell for itself.
 */
import { crossMix, finalMix } from './mixing.js';

/** What is needed to read the cells. */
export interface FuseShape {
  readonly seed: number;
  /** Cells of one segment, a power of two. */
  readonly segmentLength: number;
  /** Cells in which a key's first place may lie. */
  readonly span: number;
}

export interface FuseFilter extends FuseShape {
  readonly cells: Uint8Array;
}

const ATTEMPTS = 64;

/**
 * The filter of distinct keys (high, low), or null when no seed among the first 64 works, which says that the
 * keys are not random. Keys that occur twice in a row are taken once. Deterministic.
 */
export function buildFuseFilter(high: Uint32Array, low: Uint32Array): FuseFilter | null {
  const keys = distinctKeys(high, low);
  const { segmentLength, span } = shapeFor(keys.length);
  const places = new Uint32Array(keys.length * 3);
  for (let seed = 1; seed <= ATTEMPTS; seed++) {
    const shape = { seed, segmentLength, span };
    const fingerprints = new Uint8Array(keys.length);
    for (let key = 0; key < keys.length; key++) {
      const index = keys[key] as number;
      fingerprints[key] = placesOf(shape, high[index] as number, low[index] as number);
      places.set(found, key * 3);
    }
    const cells = new Uint8Array(span + 2 * segmentLength);
    if (assign(cells, places, fingerprints)) return { ...shape, cells };
  }
  return null;
}

/** False: the key is not in the set. True: it is, or it is one of the 1 in 256. */
export function mayContain(shape: FuseShape, cells: Uint8Array, high: number, low: number): boolean {
  const fingerprint = placesOf(shape, high, low);
  const seen =
    (cells[found[0] as number] as number) ^
    (cells[found[1] as number] as number) ^
    (cells[found[2] as number] as number);
  return seen === fingerprint;
}

/** The places of the last key that was asked for: no object per question. */
const found = new Uint32Array(3);

function placesOf(shape: FuseShape, high: number, low: number): number {
  const a = finalMix(low ^ shape.seed);
  const b = crossMix(high, a);
  const c = finalMix((a ^ b) + 0x9e3779b9);
  const mask = shape.segmentLength - 1;
  // Rounding of the product cannot reach the span, and is the same on every machine.
  const first = Math.floor((b * shape.span) / 0x1_0000_0000);
  found[0] = first;
  found[1] = (first + shape.segmentLength) ^ (a & mask);
  found[2] = (first + 2 * shape.segmentLength) ^ (c & mask);
  return (c >>> 24) ^ (b & 0xff);
}

/** Sizes as in the authors' reference implementation. */
function shapeFor(keys: number): Omit<FuseShape, 'seed'> {
  const exponent = keys < 2 ? 2 : Math.floor(Math.log(keys) / Math.log(3.33) + 2.25);
  const segmentLength = Math.min(1 << exponent, 262_144);
  const factor = keys < 2 ? 0 : Math.max(1.125, 0.875 + (0.25 * Math.log(1e6)) / Math.log(keys));
  const capacity = Math.round(keys * factor);
  const segments = Math.max(1, Math.ceil(capacity / segmentLength) - 2);
  return { segmentLength, span: segments * segmentLength };
}

function distinctKeys(high: Uint32Array, low: Uint32Array): Uint32Array {
  const indices = new Uint32Array(high.length);
  let count = 0;
  for (let index = 0; index < high.length; index++) {
    if (index > 0 && high[index] === high[index - 1] && low[index] === low[index - 1]) continue;
    indices[count++] = index;
  }
  return indices.subarray(0, count);
}

/** Solves for the cells by peeling; false when some keys cannot be told apart. */
function assign(cells: Uint8Array, places: Uint32Array, fingerprints: Uint8Array): boolean {
  const keys = fingerprints.length;
  const degree = new Uint32Array(cells.length);
  /** Xor of the keys of a cell: with one key left, that key. */
  const keysOf = new Uint32Array(cells.length);
  for (let index = 0; index < places.length; index++) {
    const cell = places[index] as number;
    degree[cell] = (degree[cell] as number) + 1;
    keysOf[cell] = (keysOf[cell] as number) ^ Math.floor(index / 3);
  }
  const lonely: number[] = [];
  for (let cell = 0; cell < cells.length; cell++) if (degree[cell] === 1) lonely.push(cell);
  const peeledKeys = new Uint32Array(keys);
  const peeledCells = new Uint32Array(keys);
  let peeled = 0;
  for (let cell = lonely.pop(); cell !== undefined; cell = lonely.pop()) {
    if (degree[cell] !== 1) continue;
    const key = keysOf[cell] as number;
    peeledKeys[peeled] = key;
    peeledCells[peeled++] = cell;
    for (let index = key * 3; index < key * 3 + 3; index++) {
      const other = places[index] as number;
      keysOf[other] = (keysOf[other] as number) ^ key;
      degree[other] = (degree[other] as number) - 1;
      if (degree[other] === 1) lonely.push(other);
    }
  }
  if (peeled < keys) return false;
  while (peeled-- > 0) {
    const key = peeledKeys[peeled] as number;
    const own = peeledCells[peeled] as number;
    let value = fingerprints[key] as number;
    // The own cell is still zero, so it may take part in the xor.
    for (let index = key * 3; index < key * 3 + 3; index++) value ^= cells[places[index] as number] as number;
    cells[own] = value;
  }
  return true;
}
