/*
 * One write, and the headers that carry its promise: the precondition, the nonce, the encryption.
 */
import { META, quoted } from './object-headers.js';
import type { S3Options } from './s3-options.js';

/** One write. */
export interface ObjectWrite {
  readonly key: string;
  /** With its tail. */
  readonly body: Uint8Array;
  readonly nonce: string;
  /** Etag of the object that it replaces; null: there must be none. */
  readonly replaces: string | null;
  /** Bytes at the end that are not the object's. */
  readonly tail?: number;
}

/** What goes with a write, by the request that carries it. */
export interface WriteHeaders {
  readonly target: { readonly Bucket: string; readonly Key: string };
  readonly object: object;
  readonly condition: { readonly IfMatch: string } | { readonly IfNoneMatch: '*' };
}

export function headersOf(options: S3Options, { key, nonce, replaces, tail = 0 }: ObjectWrite): WriteHeaders {
  const { encryption } = options;
  return {
    target: { Bucket: options.bucket, Key: key },
    object: {
      Metadata: { [META.nonce]: nonce, ...(tail === 0 ? {} : { [META.tail]: String(tail) }) },
      ...(encryption.kind === 'none' ? {} : { ServerSideEncryption: encryption.kind }),
      ...(encryption.kind === 'aws:kms' && encryption.keyId !== null
        ? { SSEKMSKeyId: encryption.keyId }
        : {}),
    },
    condition: replaces === null ? { IfNoneMatch: '*' } : { IfMatch: quoted(replaces) },
  };
}
