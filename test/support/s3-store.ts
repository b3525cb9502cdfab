// Opens the store on S3 for tests: real time unless a test brings its own, credentials `test` / `testtest`.
import { NO_METRICS } from '#server/adapters/memory/no-metrics.js';
import type { S3Deps, S3Options } from '#server/adapters/s3/s3-options.js';
import { S3ObjectStore } from '#server/adapters/s3/s3-object-store.js';
import { SystemClock } from '#server/adapters/system/clock.js';
import { SystemScheduler } from '#server/adapters/system/scheduler.js';
import { SeededRng } from './seeded-rng.js';

/** What the SDK reads from the environment, for this process and its children. */
export const S3_ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'testtest',
  AWS_REGION: 'us-east-1',
  // Nothing of the machine that runs the tests.
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
} as const;

/** A store in the bucket `bucket`, unless told otherwise. */
export function openS3Store(
  endpoint: string,
  options: Partial<S3Options> = {},
  deps: Partial<S3Deps> = {},
  environment: Readonly<Record<string, string>> = S3_ENVIRONMENT,
): Promise<S3ObjectStore> {
  Object.assign(process.env, environment);
  return S3ObjectStore.open(
    {
      ...{ bucket: 'bucket', prefix: '', endpoint, forcePathStyle: true, encryption: { kind: 'none' } },
      ...options,
    },
    {
      clock: new SystemClock(),
      scheduler: new SystemScheduler(),
      rng: new SeededRng(1),
      metrics: NO_METRICS,
      ...deps,
    },
  );
}
