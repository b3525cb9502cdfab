// Requests at a steady rate over connections that are kept, as services send them to each other, without any
// retry: what the server does not answer, the user sees.
import { Agent } from 'node:http';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import { METHODS } from '#sdk/gen/methods.js';
import { send } from './wire-client.js';

export interface LoadOptions {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly grpcAddress: string;
  readonly token: () => string;
  readonly collection: string;
  readonly requestsPerSecond: number;
  /** Connections over HTTP, and over gRPC. */
  readonly connections: number;
  /** Whether half of the requests write. Default true. */
  readonly writes?: boolean;
}

type Asked = 'query' | 'upsertRecords';

/** Queries and writes in turns, over HTTP and gRPC in turns. */
export class SteadyLoad {
  /** Requests that were answered well. */
  done = 0;
  /** What went wrong, in words. */
  readonly failures: string[] = [];
  readonly #agent: Agent;
  readonly #clients: Client[];
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  #sent = 0;

  constructor(private readonly options: LoadOptions) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections, scheduling: 'fifo' });
    // Subchannels are shared between clients of one address unless told otherwise.
    const settings = { 'grpc.use_local_subchannel_pool': 1 };
    this.#clients = Array.from(
      { length: options.connections },
      () => new Client(options.grpcAddress, credentials.createInsecure(), settings),
    );
    const beganMs = performance.now();
    // As many as are due: a busy machine fires timers late.
    this.#timer = setInterval(() => {
      const due = ((performance.now() - beganMs) * options.requestsPerSecond) / 1000;
      while (this.#sent < due) this.#begin();
    }, 5);
  }

  /** Resolves when `count` more requests were answered. */
  more(count: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ count: this.done + count, resolve }));
  }

  /** Sends nothing more and waits for the last answer. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
    for (const client of this.#clients) client.close();
  }

  #begin(): void {
    const number = this.#sent++;
    const name = number % 4 < 2 || this.options.writes === false ? 'query' : 'upsertRecords';
    const method = METHODS[name];
    const overGrpc = number % 2 === 1;
    const sentMs = performance.now();
    const request = this.#request(name, number);
    const call = overGrpc
      ? this.#overGrpc(method.grpcPath, request, number)
      : this.#overHttp(method.path, request);
    const open = call.then(
      () => {
        this.done++;
        for (const waiting of this.#waiting.splice(0)) {
          if (waiting.count <= this.done) waiting.resolve();
          else this.#waiting.push(waiting);
        }
      },
      (error: unknown) => {
        const way = overGrpc ? 'gRPC' : 'HTTP';
        const ms = Math.round(performance.now() - sentMs);
        this.failures.push(`${way} ${method.grpcPath} after ${ms} ms: ${(error as Error).message}`);
      },
    );
    this.#open.add(open);
    void open.then(() => this.#open.delete(open));
  }

  #request(name: Asked, number: number): Buffer {
    const { collection } = this.options;
    const vector = [number % 7, 1];
    const json = name === 'query' ? { vector, topK: 3 } : { records: [{ id: `r${number % 50}`, vector }] };
    const method = METHODS[name];
    const message = method.request.fromJson({ ...json, collection });
    return Buffer.from((method.request.encode as (message: unknown) => Uint8Array)(message));
  }

  async #overHttp(path: string, body: Buffer): Promise<void> {
    const { url, token, collection } = this.options;
    const answer = await send(url, path.replace('{collection}', collection), {
      method: 'POST',
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${token()}`,
        'content-type': 'application/x-protobuf',
        'content-length': body.length,
      },
      body,
    });
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  }

  #overGrpc(path: string, request: Buffer, number: number): Promise<void> {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${this.options.token()}`);
    const client = this.#clients[number % this.#clients.length];
    return new Promise((resolve, reject) => {
      client?.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        request,
        metadata,
        { deadline: Date.now() + 20_000 },
        (error) => {
          if (error === null) resolve();
          else reject(error);
        },
      );
    });
  }
}
