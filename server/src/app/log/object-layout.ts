/*
 * Where everything lies in the bucket. No other file builds a key.
 *
 *     {prefix}_probe/{nonce}/…                      start-up probe
 *     {prefix}_catalog/{hh}/{tenant}/{name}         name to collection, compare-and-swap
 *     {prefix}_doomed/{collectionId}                whose objects are to be removed, if the catalog says so
 *     {prefix}_backups/{backupId}                   what a backup consists of, write-once
 *     {prefix}_backup_marks/{backupId}-begun        when the store was last backed up, write-once
 *                                     -ended
 *     {prefix}n/{hh}/{collectionId}/root            compare-and-swap
 *                                  /m/{version}-{nonce}   every version of the root, write-once
 *                                  /w/{slot}              the log, write-once
 *                                  /s/{jobId}-{index}     segments, write-once
 *                                  /d/{jobId}-{index}     deleted rows of a segment, write-once
 *                                  /r/{jobId}             remembered request ids, write-once
 *                                  /p/{pinId}             pins: versions that must be kept
 *
 * `hh` is a byte of a hash, so that keys spread over the partitions of a store. Numbers have 20 digits, so
 * that the order of keys is the order of numbers. Keys in a root are relative to the collection's folder.
 */
import { hash64 } from '../../core/bytes/hash64.js';
import { toHex } from '../../core/bytes/hex.js';
import { invariant } from '../../core/errors.js';
import type { CollectionId, CollectionName, TenantId } from '../../core/ids.js';
import type { Rng } from '../../ports/rng.js';

const DIGITS = 20;
const encoder = new TextEncoder();

/** 32 random hex digits, for nonces, job ids and pins. */
export function newNonce(rng: Rng): string {
  return toHex(rng.bytes(16));
}

export function newCollectionId(rng: Rng): CollectionId {
  return newNonce(rng) as CollectionId;
}

export class ObjectLayout {
  /** @param prefix Put before every key: empty, or ending in `/`. */
  constructor(readonly prefix = '') {
    invariant(prefix === '' || prefix.endsWith('/'), 'a key prefix ends in "/"');
  }

  probePrefix(nonce: string): string {
    return `${this.prefix}_probe/${nonce}/`;
  }

  /** Every catalog entry of every tenant. */
  get catalogPrefix(): string {
    return `${this.prefix}_catalog/`;
  }

  /** Every mark of a collection that may have to be removed. */
  get doomedPrefix(): string {
    return `${this.prefix}_doomed/`;
  }

  doomedKey(id: CollectionId): string {
    return `${this.doomedPrefix}${id}`;
  }

  /** Begins every key of the tenant's catalog and no key of another's. */
  tenantPrefix(tenant: TenantId): string {
    return `${this.catalogPrefix}${spread(tenant)}/${tenant}/`;
  }

  catalogKey(tenant: TenantId, name: CollectionName): string {
    return `${this.tenantPrefix(tenant)}${name}`;
  }

  get backupPrefix(): string {
    return `${this.prefix}_backups/`;
  }

  backupKey(backupId: string): string {
    return `${this.backupPrefix}${backupId}`;
  }

  /** Every mark that a backup of this store has left. */
  get backupMarkPrefix(): string {
    return `${this.prefix}_backup_marks/`;
  }

  backupMarkKey(backupId: string, kind: 'begun' | 'ended'): string {
    return `${this.backupMarkPrefix}${backupId}-${kind}`;
  }

  collection(id: CollectionId): CollectionLayout {
    return new CollectionLayout(this, id);
  }
}

/** The keys of one collection. */
export class CollectionLayout {
  /** Begins every key of the collection and no other. */
  readonly prefix: string;

  constructor(
    private readonly layout: ObjectLayout,
    readonly id: CollectionId,
  ) {
    this.prefix = `${layout.prefix}n/${spread(id)}/${id}/`;
  }

  /** The layout of another collection, or of this one when none is named. */
  folder(id: CollectionId | undefined): CollectionLayout {
    return id === undefined || id === this.id ? this : this.layout.collection(id);
  }

  get rootKey(): string {
    return `${this.prefix}root`;
  }

  get slotPrefix(): string {
    return `${this.prefix}w/`;
  }

  get pinPrefix(): string {
    return `${this.prefix}p/`;
  }

  slotKey(slot: number): string {
    return `${this.slotPrefix}${digits(slot)}`;
  }

  /** A slot's key as it would stand in a root. */
  relativeSlotKey(slot: number): string {
    return this.relative(this.slotKey(slot));
  }

  /** The number of a slot's key. */
  slotOf(key: string): number {
    return Number(key.slice(this.slotPrefix.length));
  }

  pinKey(pinId: string): string {
    return `${this.pinPrefix}${pinId}`;
  }

  /** The full key of one that stands in a root. */
  absolute(relative: string): string {
    return `${this.prefix}${relative}`;
  }

  /** The full key of an object that a root names, in whosever folder it lies. */
  locate({ key, folder }: { readonly key: string; readonly folder?: CollectionId }): string {
    return this.folder(folder).absolute(key);
  }

  relative(key: string): string {
    return key.slice(this.prefix.length);
  }
}

/** Relative keys, as they stand in a root. */
export const RELATIVE = {
  manifest: (version: number, nonce: string): string => `m/${digits(version)}-${nonce}`,
  segment: (jobId: string, index: number): string => `s/${jobId}-${index}`,
  deletes: (jobId: string, index: number): string => `d/${jobId}-${index}`,
  requests: (jobId: string): string => `r/${jobId}`,
} as const;

/** What a relative key names, or null when it is none of ours. */
export function classifyKey(relative: string): ClassifiedKey | null {
  if (relative === 'root') return { kind: 'root' };
  const slot = /^w\/(\d{20})$/.exec(relative)?.[1];
  if (slot !== undefined) return { kind: 'slot', slot: Number(slot) };
  const version = /^m\/(\d{20})-[0-9a-f]{32}$/.exec(relative)?.[1];
  if (version !== undefined) return { kind: 'manifest', version: Number(version) };
  const jobId = /^[sdr]\/([^/-]+)(-\d+)?$/.exec(relative)?.[1];
  if (jobId !== undefined) return { kind: 'job', jobId };
  return relative.startsWith('p/') ? { kind: 'pin' } : null;
}

export type ClassifiedKey =
  | { readonly kind: 'root' }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'manifest'; readonly version: number }
  /** Written by a job: a segment, deleted rows, request ids. */
  | { readonly kind: 'job'; readonly jobId: string }
  | { readonly kind: 'pin' };

function digits(value: number): string {
  return String(value).padStart(DIGITS, '0');
}

function spread(text: string): string {
  return toHex(Uint8Array.of(hash64(encoder.encode(text)).low & 0xff));
}
