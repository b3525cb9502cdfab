/*
 * A page token says where a scan goes on: the position after which the next page begins, bound to the
 * collection. It is opaque to clients; a token of another collection or a mangled one is an error, never a
 * wrong page.
 */
import { crc32c } from '../bytes/crc32c.js';
import type { ScanPosition } from '../engine/tasks.js';
import { OmenError } from '../errors.js';

const encoder = new TextEncoder();

/** URL-safe text of the position. */
export function encodePageToken(position: ScanPosition, collectionId: string): string {
  const body = [
    position.hashHigh.toString(36),
    position.hashLow.toString(36),
    encodeURIComponent(position.id),
  ].join('~');
  return `${body}~${checksum(body, collectionId)}`;
}

/** Null for the empty token: the beginning. Throws `INVALID_PAGE_TOKEN`. */
export function decodePageToken(token: string, collectionId: string): ScanPosition | null {
  if (token === '') return null;
  const [high, low, id, sum, ...rest] = token.split('~');
  if (high !== undefined && low !== undefined && id !== undefined && rest.length === 0) {
    if (sum === checksum([high, low, id].join('~'), collectionId)) {
      return {
        hashHigh: Number.parseInt(high, 36),
        hashLow: Number.parseInt(low, 36),
        id: decodeURIComponent(id),
      };
    }
  }
  throw new OmenError(
    'INVALID_PAGE_TOKEN',
    'pageToken is not one of this collection: pass the nextPageToken of the page before unchanged, with the same collection',
    { field: 'pageToken' },
  );
}

function checksum(body: string, collectionId: string): string {
  return crc32c(encoder.encode(`${collectionId}:${body}`)).toString(36);
}
