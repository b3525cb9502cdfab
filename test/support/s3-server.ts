// Real S3 servers on loopback, each with a folder of its own and one empty bucket.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { S3_ENVIRONMENT } from './s3-store.js';
import { freePorts } from './server-process.js';

export const S3_SERVERS = ['versitygw', 'minio'] as const;
export type S3ServerKind = (typeof S3_SERVERS)[number];

/** A server that answers and has the bucket `bucket`. */
export interface S3Server {
  readonly endpoint: string;
  stop(): Promise<void>;
}

const KEY = S3_ENVIRONMENT.AWS_ACCESS_KEY_ID;
const SECRET = S3_ENVIRONMENT.AWS_SECRET_ACCESS_KEY;

/** Rejects with what the server printed when it does not answer within 30 seconds. */
export async function startS3Server(kind: S3ServerKind): Promise<S3Server> {
  const variable = `TEST_${kind.toUpperCase()}`;
  const program = process.env[variable];
  if (program === undefined) throw new Error(`${variable} does not name the program: run "npm run test:s3"`);
  const folder = mkdtempSync(join(tmpdir(), `omendb-${kind}-`));
  const address = `127.0.0.1:${(await freePorts()).http}`;
  const { args, env } = commandOf(kind, address, folder);
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  child.on('error', (error) => (printed += error.message));
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const endpoint = `http://${address}`;
  try {
    await createBucket(endpoint, () => child.exitCode !== null);
    return { endpoint, stop };
  } catch (error) {
    await stop();
    throw new Error(`${kind} did not start: ${(error as Error).message}\n${printed}`, { cause: error });
  }
}

function commandOf(
  kind: S3ServerKind,
  address: string,
  folder: string,
): { args: string[]; env: Readonly<Record<string, string>> } {
  if (kind === 'minio') {
    const off = { MINIO_BROWSER: 'off', MINIO_UPDATE: 'off' };
    const args = ['server', '--quiet', '--address', address, folder];
    return { args, env: { MINIO_ROOT_USER: KEY, MINIO_ROOT_PASSWORD: SECRET, ...off } };
  }
  const [data, versions] = [join(folder, 'data'), join(folder, 'versions')];
  mkdirSync(data);
  mkdirSync(versions);
  const login = ['--access', KEY, '--secret', SECRET];
  return {
    args: [
      '--port',
      address,
      '--quiet',
      '--keep-alive',
      ...login,
      'posix',
      '--versioning-dir',
      versions,
      data,
    ],
    env: {},
  };
}

/** Until the server takes it. */
async function createBucket(endpoint: string, hasEnded: () => boolean): Promise<void> {
  Object.assign(process.env, S3_ENVIRONMENT);
  const client = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 1 });
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
      client.destroy();
      return;
    } catch (error) {
      if (hasEnded() || Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
}
