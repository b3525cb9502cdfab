/*
 * What headers say about an object.
 */
import type { HttpHeaders } from './http-transport.js';

/** Metadata that every object of ours has: who wrote it, and how many bytes at its end are not its body. */
export const META = { nonce: 'omendb-nonce', tail: 'omendb-tail' } as const;

/** An etag as a header has it. */
export function quoted(etag: string): string {
  return `"${etag}"`;
}

/** An etag without quotes and without the mark of proxies that change the encoding. */
export function unquoted(etag: string): string {
  return etag.replace(/^W\//, '').replaceAll('"', '');
}

/** Of the object that an answer is about. */
export function etagOf(headers: HttpHeaders): string {
  return unquoted(headers['etag'] ?? '');
}

/** Of the body of an answer, in bytes; NaN when the answer does not say. */
export function lengthOf(headers: HttpHeaders): number {
  return Number(headers['content-length'] ?? Number.NaN);
}

/** Bytes at the end of an object that are not its body. */
export function tailOf(headers: HttpHeaders): number {
  return Number(headers[`x-amz-meta-${META.tail}`] ?? 0);
}

/** Who wrote an object; null: not one of ours. */
export function nonceOf(headers: HttpHeaders): string | null {
  return headers[`x-amz-meta-${META.nonce}`] ?? null;
}
