/*
 * HTTP over a pool of connections, whole answers only. Times out by itself: to the first byte of the answer,
 * and between two bytes of a body. A request that is given up releases its connection at once.
 */
import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../ports/clock.js';
import type { Scheduler } from '../../ports/scheduler.js';

export interface HttpRequest {
  /** Such as `https://bucket.s3.eu-central-1.amazonaws.com`. */
  readonly origin: string;
  /** With the query, escaped. */
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
}

/** Where the bytes of an answer go. */
export interface BodyTarget {
  readonly bytes: Uint8Array;
  /** Bytes of the body to pass over first. */
  readonly skip: number;
}

export interface HttpOptions {
  /** Longest time from the start to the first byte of the answer. */
  readonly headersMs: number;
  /** On a connection that other requests do not use, so that it leads elsewhere. */
  readonly apart?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Where the body goes; null, or without: into memory of its own. */
  readonly target?: (status: number, headers: HttpHeaders) => BodyTarget | null;
  /** Called at the first byte of the answer, with the milliseconds that it took. */
  readonly onHeaders?: (ms: number) => void;
}

/** Names in small letters. */
export type HttpHeaders = Readonly<Record<string, string | undefined>>;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** Part of the target when there was one: shorter than it when the answer was. */
  readonly body: Uint8Array;
}

/** Sends requests. Rejects with `HttpFailure`, or with the signal's reason. */
export interface HttpTransport {
  send(request: HttpRequest, options: HttpOptions): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** No answer came, or half of one. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';

  constructor(
    readonly code: string,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

const CONNECT_MS = 3000;
const IDLE_MS = 10_000;
/** Servers close idle connections; we do it first, so that no request meets a closed one. */
const KEEP_ALIVE_MS = 4000;
/** Answers without a target are listings and errors. */
const OWN_BODY_BYTES_MAX = 16 * 1024 * 1024;
/** Of a body nobody wants; above it a new connection is cheaper. */
const DRAIN_BYTES_MAX = 64 * 1024;
const APART_CONNECTIONS = 16;

export interface TransportDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** The transport over real sockets, at most `connections` at a time and a few apart. */
export class PooledTransport implements HttpTransport {
  readonly #pool: Agent;
  readonly #apart: Agent;

  constructor(
    connections: number,
    private readonly deps: TransportDeps,
  ) {
    const options = {
      ...{ pipelining: 1, keepAliveTimeout: KEEP_ALIVE_MS, keepAliveMaxTimeout: KEEP_ALIVE_MS },
      // Ours are finer and run on the clock that is handed in.
      ...{ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: CONNECT_MS } },
    };
    this.#pool = new Agent({ ...options, connections });
    this.#apart = new Agent({ ...options, connections: APART_CONNECTIONS });
  }

  send(request: HttpRequest, options: HttpOptions): Promise<HttpAnswer> {
    const agent = options.apart === true ? this.#apart : this.#pool;
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(options, this.deps, { resolve, reject });
      agent.dispatch(
        {
          ...{ origin: request.origin, path: request.path, method: request.method },
          ...{ headers: request.headers, body: request.body ?? null },
        },
        exchange,
      );
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#apart.destroy()]);
  }
}

interface Settle {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #startedMs: number;
  #controller: Dispatcher.DispatchController | null = null;
  #cancelTimer: () => void;
  #done = false;
  #lastByteMs = 0;
  #status = 0;
  #headers: HttpHeaders = {};
  #target: BodyTarget | null = null;
  #chunks: Uint8Array[] = [];
  /** Bytes of the body so far. */
  #received = 0;

  constructor(
    private readonly options: HttpOptions,
    private readonly deps: TransportDeps,
    private readonly settle: Settle,
  ) {
    this.#startedMs = deps.clock.monotonic();
    this.#cancelTimer = deps.scheduler.after(options.headersMs, () => {
      this.#giveUp(new HttpFailure('timeout', `no answer within ${options.headersMs} ms`));
    });
    const { signal } = options;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#done) controller.abort(new HttpFailure('aborted', 'the request was given up'));
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#done || status < 200) return;
    this.#status = status;
    this.#headers = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    );
    this.#lastByteMs = this.deps.clock.monotonic();
    this.options.onHeaders?.(this.#lastByteMs - this.#startedMs);
    this.#cancelTimer();
    this.#watchBody(IDLE_MS);
    this.#target = this.options.target?.(status, this.#headers) ?? null;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#done) return;
    this.#lastByteMs = this.deps.clock.monotonic();
    const at = this.#received;
    this.#received += chunk.length;
    if (this.#target === null) {
      this.#chunks.push(chunk);
      if (this.#received > OWN_BODY_BYTES_MAX)
        this.#giveUp(new HttpFailure('too-long', `an answer of more than ${OWN_BODY_BYTES_MAX} bytes`));
      return;
    }
    const { bytes, skip } = this.#target;
    const from = Math.max(0, skip - at);
    const to = Math.min(chunk.length, skip + bytes.length - at);
    if (from < to) bytes.set(chunk.subarray(from, to), at + from - skip);
    const unwanted = Number(this.#headers['content-length'] ?? 0) - this.#received;
    if (this.#received >= skip + bytes.length && unwanted > DRAIN_BYTES_MAX) this.#cutShort();
  }

  onResponseEnd(): void {
    if (!this.#done) this.#finish();
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#done) return;
    this.#stop();
    this.settle.reject(describe(error, this.#status !== 0));
  }

  #finish(): void {
    this.#stop();
    this.settle.resolve({ status: this.#status, headers: this.#headers, body: this.#body() });
  }

  #body(): Uint8Array {
    if (this.#target === null) return Buffer.concat(this.#chunks);
    const { bytes, skip } = this.#target;
    return bytes.subarray(0, Math.max(0, Math.min(bytes.length, this.#received - skip)));
  }

  /** Everything that is wanted is here. */
  #cutShort(): void {
    this.#finish();
    this.#controller?.abort(new HttpFailure('aborted', 'the rest of the answer is not wanted'));
  }

  readonly #onAbort = (): void => {
    this.#giveUp(this.options.signal?.reason as Error);
  };

  #giveUp(error: Error): void {
    if (this.#done) return;
    this.#stop();
    this.settle.reject(error);
    this.#controller?.abort(new HttpFailure('aborted', 'the request was given up', error));
  }

  #stop(): void {
    this.#done = true;
    this.#cancelTimer();
    this.options.signal?.removeEventListener('abort', this.#onAbort);
  }

  /** One timer for the body and not one a chunk: when it fires early, it waits for the rest. */
  #watchBody(ms: number): void {
    this.#cancelTimer = this.deps.scheduler.after(ms, () => {
      const idleMs = this.deps.clock.monotonic() - this.#lastByteMs;
      if (idleMs < IDLE_MS) this.#watchBody(IDLE_MS - idleMs);
      else this.#giveUp(new HttpFailure('stalled', `the answer stopped for ${IDLE_MS} ms`));
    });
  }
}

function describe(error: Error, answering: boolean): HttpFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const where = answering ? 'the answer broke off' : 'the connection broke';
  return new HttpFailure(code, `${where}: ${error.message}`, error);
}
