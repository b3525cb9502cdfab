// Installs the S3 servers that `npm run test:s3` and `npm run bench -- storage` use, outside the tree, and
// prints where they are. Pinned; Go checks the sums of every module. Building takes a few minutes, once.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { capture, step } from './steps.mjs';

const SERVERS = {
  versitygw: { module: 'github.com/versity/versitygw/cmd/versitygw', version: 'v1.8.0' },
  minio: { module: 'github.com/minio/minio', version: 'v0.0.0-20260212201848-7aac2a2c5b7c' },
};

/** Builds what is missing and returns the environment variables by which tests find the programs. */
export async function installS3Servers() {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'omendb-tests', 'bin');
  mkdirSync(folder, { recursive: true });
  const found = {};
  for (const [name, { module, version }] of Object.entries(SERVERS)) {
    const program = join(folder, `${name}-${version}`);
    if (!existsSync(program)) await build(name, `${module}@${version}`, program);
    found[`TEST_${name.toUpperCase()}`] = program;
  }
  return found;
}

async function build(name, module, program) {
  const { code } = await capture('go', ['version']);
  if (code !== 0) {
    process.stderr.write(`Go is needed to build ${name}, an S3 server to test with: install it (go.dev).\n`);
    process.exit(1);
  }
  // Under a name of its own until it is whole.
  const folder = `${program}.${process.pid}`;
  mkdirSync(folder);
  await step(`building ${name}, an S3 server to test with`, 'go', ['install', '-trimpath', module], {
    GOBIN: folder,
    CGO_ENABLED: '0',
  });
  renameSync(join(folder, name), program);
  rmSync(folder, { recursive: true });
}
