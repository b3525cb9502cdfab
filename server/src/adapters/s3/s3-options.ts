import type { Clock } from '../../ports/clock.js';
import type { Metrics } from '../../ports/metrics.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { HttpTransport } from './http-transport.js';

/** How the store is asked to encrypt what it keeps. */
export type ServerSideEncryption =
  /** As the bucket says. */
  | { readonly kind: 'none' }
  | { readonly kind: 'AES256' }
  /** With a key of the key service: the one named, or the account's own for S3. */
  | { readonly kind: 'aws:kms'; readonly keyId: string | null };

/** Which bucket, and how to reach it. Region and credentials come from where every tool of AWS looks. */
export interface S3Options {
  readonly bucket: string;
  /** Put before every key: empty, or ending in `/`. */
  readonly prefix: string;
  /** Of another store than S3 of AWS. */
  readonly endpoint: string | null;
  /** The bucket is a part of the path and not of the host's name. */
  readonly forcePathStyle: boolean;
  readonly encryption: ServerSideEncryption;
}

export interface S3Deps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  readonly metrics: Metrics;
  /** In place of sockets. */
  readonly transport?: HttpTransport;
}
