// What a pod of a client does: `node client-program.js COMMAND JSON`. It answers with JSON lines. Programs
// that go on answer every line of input, and end when the input does.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { OmenClient } from '#sdk/index.js';
import { grpcTransport } from '#sdk/grpc.js';
import { SteadyLoad } from '../support/steady-load.js';

export interface Access {
  /** `http://HOST` */
  readonly url: string;
  /** `HOST:PORT` */
  readonly grpcAddress: string;
  readonly token: string;
  readonly collection: string;
}

export interface LoadRequest extends Access {
  readonly requestsPerSecond: number;
  readonly writes: boolean;
}

export interface LoadReport {
  readonly done: number;
  readonly failures: readonly string[];
}

export interface WriteReport {
  /** Writes that were acknowledged: records `w0` and on, those of `failed` left out. */
  readonly acknowledged: number;
  readonly failed: readonly string[];
  /** Acknowledged records that cannot be read. */
  readonly missing: readonly string[];
}

export interface ProbeRequest {
  readonly host: string;
  readonly port: number;
}

export interface TokenRequest {
  /** `http://HOST` of each server. */
  readonly urls: readonly string[];
  readonly token: string;
}

type Command = (request: never) => Promise<unknown>;
const COMMANDS: Readonly<Record<string, Command>> = {
  roundTrip,
  read,
  drop,
  load,
  write,
  probe,
  tokenStatuses,
};

const [name = '', json = '{}'] = process.argv.slice(2);
const command = COMMANDS[name];
if (command === undefined) throw new Error(`there is no command ${name}`);
say(await command(JSON.parse(json) as never));
process.exit(0);

function say(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function clients({ url, grpcAddress, token }: Access): {
  readonly http: OmenClient;
  readonly grpc: OmenClient;
} {
  const grpc = { endpoint: `http://${grpcAddress}`, token, transport: grpcTransport() };
  return { http: new OmenClient({ endpoint: url, token }), grpc: new OmenClient(grpc) };
}

/** Makes the collection if need be, writes over one transport and reads over the other, both ways. */
async function roundTrip(access: Access): Promise<{ readonly http: string; readonly grpc: string }> {
  const { http, grpc } = clients(access);
  const exists = await http.collections.get(access.collection).catch(() => undefined);
  if (exists === undefined) {
    await http.collections.create({ name: access.collection, dimensions: 2, metric: 'cosine' });
  }
  await http.collection(access.collection).upsert([{ id: 'http', vector: [1, 0] }]);
  await grpc.collection(access.collection).upsert([{ id: 'grpc', vector: [0, 1] }]);
  const readOverGrpc = await grpc.collection(access.collection).get('http', { consistency: 'strong' });
  const found = await http
    .collection(access.collection)
    .query({ vector: [0, 1], topK: 1, consistency: 'strong' });
  return { http: found.hits[0]?.id ?? '', grpc: readOverGrpc?.id ?? '' };
}

/** Which of the records of `roundTrip` are there. */
async function read(access: Access): Promise<{ readonly ids: readonly string[] }> {
  const collection = clients(access).http.collection(access.collection);
  const { records } = await collection.getMany(['http', 'grpc'], { consistency: 'strong' });
  return { ids: records.map(({ id }) => id) };
}

/** Deletes the collection. */
async function drop(access: Access): Promise<object> {
  await clients(access).http.collections.delete(access.collection);
  return {};
}

/** Steady load without retries. */
async function load({ token, ...options }: LoadRequest): Promise<LoadReport> {
  const load = new SteadyLoad({ ...options, token: () => token, connections: 8 });
  const report = (): LoadReport => ({ done: load.done, failures: load.failures.slice(0, 20) });
  for await (const line of createInterface({ input: process.stdin })) if (line !== '') say(report());
  await load.stop();
  return report();
}

/** Writes one record after another without retries, and when told to end reads all that were acknowledged. */
async function write(access: Access): Promise<WriteReport> {
  const { http } = clients(access);
  const collection = http.collection(access.collection);
  const acknowledged = new Set<string>();
  const failed: string[] = [];
  let going = true;
  const writing = (async (): Promise<void> => {
    for (let number = 0; going; number++) {
      const id = `w${number}`;
      await collection.upsert([{ id, vector: [1, number] }], { retry: false, timeoutMs: 5000 }).then(
        () => acknowledged.add(id),
        (error: unknown) => failed.push(`${id}: ${(error as Error).message}`),
      );
    }
  })();
  const report = (missing: readonly string[]): WriteReport => ({
    acknowledged: acknowledged.size,
    failed: failed.slice(0, 20),
    missing,
  });
  for await (const line of createInterface({ input: process.stdin })) if (line !== '') say(report([]));
  going = false;
  await writing;
  const strong = { consistency: 'strong' } as const;
  const missing = new Set(acknowledged);
  const ids = [...acknowledged];
  for (let from = 0; from < ids.length; from += 100) {
    const { records } = await collection.getMany(ids.slice(from, from + 100), strong);
    for (const record of records) missing.delete(record.id);
  }
  return report([...missing].slice(0, 20));
}

/** Whether a connection opens. Policies drop what they refuse, so it is a matter of time. */
function probe({ host, port }: ProbeRequest): Promise<{ readonly open: boolean }> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const end = (open: boolean): void => {
      socket.destroy();
      resolve({ open });
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}

/** What each server says to a token: 200 or 401. */
async function tokenStatuses({ urls, token }: TokenRequest): Promise<readonly number[]> {
  const headers = { authorization: `Bearer ${token}` };
  const answers = urls.map(async (url) => (await fetch(`${url}/v1/collections`, { headers })).status);
  return Promise.all(answers);
}
