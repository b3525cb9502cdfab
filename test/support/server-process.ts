// The real server as a child process, on free ports and its own folder: for integration tests, the demo and
// the benchmark.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { endWithProcess } from './end-with-process.js';

const MAIN = fileURLToPath(new URL('../../../server/dist/main.js', import.meta.url));
const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;

export interface ServerProcessOptions {
  readonly dataDir: string;
  /** Settings besides ports and folder, such as `{ OMENDB_WORKER_THREADS: '1' }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of Node, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** Folder of the control group that the process is to be in from its first moment. */
  readonly cgroup?: string;
  /** Ports to use again, so that a restarted server is found where its predecessor was. */
  readonly ports?: ServerPorts;
}

export interface ServerPorts {
  readonly http: number;
  readonly grpc: number;
  readonly ops: number;
}

/** A server that answers. */
export interface ServerProcess {
  readonly ports: ServerPorts;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly grpcAddress: string;
  /** The development token it printed; empty when it was given a secret. */
  readonly token: string;
  readonly pid: number;
  /** What it has printed so far, to both streams. */
  output(): string;
  /** Sends SIGTERM and waits for the end. Returns the exit code, null when a signal ended it. */
  stop(): Promise<number | null>;
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>;
}

/**
 * Starts a server and resolves when `/health` answers. Rejects with what it printed when it exits or does not
 * answer within 30 seconds; then no process is left.
 */
export async function startServer(options: ServerProcessOptions): Promise<ServerProcess> {
  const ports = options.ports ?? (await freePorts());
  const node = [process.execPath, ...(options.nodeArgs ?? []), MAIN, 'serve'];
  const [command = '', ...args] = options.cgroup === undefined ? node : within(options.cgroup, node);
  const child = spawn(command, args, {
    env: {
      ...withoutOwnSettings(process.env),
      OMENDB_HTTP_PORT: String(ports.http),
      OMENDB_GRPC_PORT: String(ports.grpc),
      OMENDB_OPS_PORT: String(ports.ops),
      OMENDB_DATA_DIR: options.dataDir,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithProcess(child);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = `http://127.0.0.1:${ports.http}`;
  try {
    // A server with a secret of its own prints no token.
    const hasSecret = Object.keys(options.env ?? {}).some((name) => name.startsWith('OMENDB_JWT_SECRET'));
    await untilReady(url, child, () => hasSecret || TOKEN.test(printed));
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw new Error(`the server did not start: ${(error as Error).message}\n${printed}`, { cause: error });
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  return {
    ports,
    url,
    grpcAddress: `127.0.0.1:${ports.grpc}`,
    token: TOKEN.exec(printed)?.[0] ?? '',
    pid: child.pid ?? 0,
    output: () => printed,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  };
}

/** A command that becomes another one inside a control group. */
function within(cgroup: string, command: readonly string[]): readonly string[] {
  return ['sh', '-c', 'echo $$ > "$0/cgroup.procs"; exec "$@"', cgroup, ...command];
}

/** Three different ports that nobody listens on at the moment. */
export async function freePorts(): Promise<ServerPorts> {
  // All three are held open together, so that the system cannot give one twice.
  const servers = await Promise.all([0, 1, 2].map(() => listening()));
  const [http = 0, grpc = 0, ops = 0] = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { http, grpc, ops };
}

function listening(): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** The caller's own settings must not reach a server under test. */
function withoutOwnSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(OMENDB|OTEL|KUBERNETES)_/.test(name)));
}

/** Until the server answers and has printed its token: the two come in no certain order. */
async function untilReady(url: string, child: ChildProcess, hasToken: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    if (child.signalCode !== null) throw new Error(`it was ended by ${child.signalCode}`);
    if (Date.now() > deadline) throw new Error(`${url}/health did not answer within 30 s`);
    try {
      const response = await fetch(`${url}/health`);
      await response.arrayBuffer();
      if (response.ok && hasToken()) return;
    } catch {
      // Nobody listens yet.
    }
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}
