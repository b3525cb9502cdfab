/*
 * Names and ids, parsed once at the edge and branded, so that a raw string cannot be used where a checked one
 * is meant.
 */
import { OmenError } from './errors.js';
import { LIMITS } from './limits.js';

export type TenantId = string & { readonly __brand: 'TenantId' };
export type CollectionName = string & { readonly __brand: 'CollectionName' };
/**
 * Random and never used again, so that a collection made anew under an old name shares nothing with the old
 * one.
 */
export type CollectionId = string & { readonly __brand: 'CollectionId' };
export type RecordId = string & { readonly __brand: 'RecordId' };

const COLLECTION_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/;
const TENANT = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$/;
const encoder = new TextEncoder();

/** A collection name: 1–128 letters, digits, `.`, `_` or `-`, first a letter or digit. */
export function parseCollectionName(name: string, field = 'collection'): CollectionName {
  if (name.length > LIMITS.collectionNameBytesMax || !COLLECTION_NAME.test(name) || name.includes('..')) {
    throw new OmenError(
      'INVALID_COLLECTION_NAME',
      `collection name ${quote(name)} is not allowed: use 1 to ${LIMITS.collectionNameBytesMax} letters, digits, "-", "_" ` +
        `or single ".", beginning with a letter or digit`,
      { field },
    );
  }
  return name as CollectionName;
}

/** A snapshot name: the same characters as a collection name. */
export function parseSnapshotName(name: string): string {
  if (name.length <= LIMITS.collectionNameBytesMax && COLLECTION_NAME.test(name)) return name;
  throw new OmenError(
    'INVALID_ARGUMENT',
    `snapshot name ${quote(name)} is not allowed: use 1 to ${LIMITS.collectionNameBytesMax} letters, digits, ` +
      `"-", "_" or ".", beginning with a letter or digit`,
    { field: 'name' },
  );
}

/**
 * A tenant: 1–64 letters, digits, `_` or `-`, first a letter or digit. Comes from a credential only, never
 * from a request.
 */
export function parseTenantId(name: string): TenantId {
  if (!TENANT.test(name)) {
    throw new OmenError(
      'INVALID_TOKEN',
      `tenant ${quote(name)} is not allowed: use 1 to 64 letters, digits, "-" or "_", beginning with a letter or digit`,
    );
  }
  return name as TenantId;
}

/** A record id: any well-formed Unicode text of 1–512 bytes of UTF-8 without the character NUL. */
export function parseRecordId(id: string, field: string): RecordId {
  // A UTF-16 unit takes at most 3 bytes, so short ids need no encoding to be measured.
  const fits = id.length * 3 <= LIMITS.idBytesMax || encoder.encode(id).length <= LIMITS.idBytesMax;
  if (id.length === 0 || !fits || id.includes('\0') || !id.isWellFormed()) {
    const seen =
      id.length === 0
        ? 'is empty'
        : fits
          ? 'holds NUL or a lone surrogate'
          : `has more than ${LIMITS.idBytesMax} bytes`;
    throw new OmenError(
      'INVALID_ID',
      `record id at ${field} ${seen}: an id is 1 to ${LIMITS.idBytesMax} bytes of UTF-8 text`,
      {
        field,
      },
    );
  }
  return id as RecordId;
}

/** Quoted and shortened for an error message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
