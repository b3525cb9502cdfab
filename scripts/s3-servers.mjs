// Installs the S3 servers that `npm run test:s3` and `npm run bench -- storage` use, outside the tree, and
// prints where they are.
import { installGoPrograms } from './go-programs.mjs';

const what = 'an S3 server to test with';
/** A small one, a program for `installGoPrograms`. */
export const VERSITYGW = { what, module: 'github.com/versity/versitygw/cmd/versitygw', version: 'v1.8.0' };
const SERVERS = {
  versitygw: VERSITYGW,
  minio: { what, module: 'github.com/minio/minio', version: 'v0.0.0-20260212201848-7aac2a2c5b7c' },
};

/** Builds what is missing and returns the environment variables by which tests find the programs. */
export async function installS3Servers() {
  const programs = Object.entries(await installGoPrograms(SERVERS));
  return Object.fromEntries(programs.map(([name, path]) => [`TEST_${name.toUpperCase()}`, path]));
}
