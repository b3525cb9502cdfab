// Settings of servers that share a bucket, as pods do.
import { S3_ENVIRONMENT } from './s3-store.js';

export const POD_SECRET = 'the secret of two pods on one bucket';

/** All but `OMENDB_S3_ENDPOINT`. */
export function bucketSettings(): Record<string, string> {
  return {
    ...S3_ENVIRONMENT,
    OMENDB_JWT_SECRET: POD_SECRET,
    OMENDB_HOST: '127.0.0.1',
    OMENDB_OBJECT_STORE: 's3://bucket',
    OMENDB_S3_FORCE_PATH_STYLE: 'true',
    OMENDB_WORKER_THREADS: '1',
    OMENDB_MEMORY_BYTES: '256Mi',
  };
}
