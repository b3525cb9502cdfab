/*
 * What a key says about the urgency of a request. Only speed depends on it: a key that is misjudged waits a
 * little longer or shorter.
 */
import type { Lane } from './connection-lanes.js';

/** Writes up to this size hardly keep a connection busy. */
const SMALL_BYTES = 64 * 1024;

/** The log and the root: a writer waits for these, and a commit ends with a look at the root. */
const COMMIT = /(^|\/)(root|w\/\d+)$/;

export function laneOfRead(key: string, background: boolean): Lane {
  if (background) return 'background';
  return COMMIT.test(key) ? 'commit' : 'interactive';
}

export function laneOfWrite(key: string, bytes: number): Lane {
  return COMMIT.test(key) || bytes <= SMALL_BYTES ? 'commit' : 'flush';
}

/**
 * Keys of one flow take turns with those of others: the collection, or whatever else is two folders below the
 * store's prefix.
 */
export function flowOf(key: string, prefix: string): string {
  return key.slice(prefix.length).split('/', 3).join('/');
}
