/*
 * Protobuf over HTTP/1.1 on pooled keep-alive connections.
 *
 * A query is as long as its round trip plus what the client spends on it, so this is the shortest way through
 * undici: `dispatch` with a handler object, no promise, stream or AbortSignal of its own per call, and the
 * answer as it arrived when it came in one chunk.
 */
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { abortedBy, errorFor, OmenError, timedOut } from '../errors.js';
import { errorOfHttpBody, parseRetryAfter } from '../wire/status.js';
import { isHeaderSafe, onAbort } from './transport.js';
import type { Transport, TransportContext, TransportFactory, TransportRequest } from './transport.js';

const PROTOBUF = 'application/x-protobuf';
const CONNECT_TIMEOUT_MS = 10_000;
const SERVER_TIMEOUT_MS_MAX = 24 * 60 * 60 * 1000;

/** The default transport. */
export const httpTransport: TransportFactory = (context) => new HttpTransport(context);

class HttpTransport implements Transport {
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #fixedHeaders: readonly string[];
  #closing: Promise<void> | undefined;

  constructor(context: TransportContext) {
    this.#pool = new Pool(context.endpoint.origin, {
      connections: context.connections,
      pipelining: 1,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      // The time of a call is counted per call; undici's own clocks would be a second opinion.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#basePath = context.endpoint.pathname.replace(/\/+$/, '');
    this.#fixedHeaders = [
      ...Object.entries(context.defaultHeaders).flat(),
      ...['accept', PROTOBUF, 'omendb-client', context.clientName],
    ];
  }

  send(request: TransportRequest): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const { verb, hasBody } = request.method;
      const headers = this.#fixedHeaders.slice();
      if (isHeaderSafe(request.requestId)) headers.push('x-request-id', request.requestId);
      headers.push('omendb-timeout-ms', timeoutHeader(request.timeoutMs));
      if (hasBody) headers.push('content-type', PROTOBUF);
      if (request.authorization !== undefined) headers.push('authorization', request.authorization);
      if (request.headers !== undefined) headers.push(...Object.entries(request.headers).flat());
      const exchange = new Exchange(request, resolve, reject);
      if (exchange.begin()) {
        const path = this.#basePath + request.target;
        this.#pool.dispatch({ method: verb, path, headers, body: hasBody ? request.body : null }, exchange);
      }
    });
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => {
      void this.#pool.destroy(
        errorFor('CANCELLED', 'CLIENT_CLOSED', 'the client was closed during the call'),
      );
    }, graceMs);
    try {
      await this.#pool.close();
    } finally {
      clearTimeout(timer);
    }
  }
}

/** One request and its answer, as the handler that undici calls. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: TransportRequest;
  readonly #resolve: (body: Uint8Array) => void;
  readonly #reject: (error: OmenError) => void;
  #timer: NodeJS.Timeout | undefined;
  #abortRequest: ((error: Error) => void) | undefined;
  #onAbort: (() => void) | undefined;
  #settled = false;
  #status = 0;
  #headers: readonly Buffer[] = [];
  #chunk: Buffer | undefined;
  #chunks: Buffer[] | undefined;

  constructor(
    request: TransportRequest,
    resolve: (body: Uint8Array) => void,
    reject: (error: OmenError) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Starts the clock; `false` when the signal has already fired. */
  begin(): boolean {
    const { signal, timeoutMs } = this.#request;
    if (signal !== undefined) {
      if (signal.aborted) {
        this.#fail(abortedBy(signal));
        return false;
      }
      this.#onAbort = () => this.#stop(abortedBy(signal));
      onAbort(signal, this.#onAbort);
    }
    this.#timer = setTimeout(() => this.#stop(timedOut(timeoutMs)), timeoutMs);
    return true;
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.#settled) abort(new Error('given up before a connection was free'));
    else this.#abortRequest = abort;
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    // Informational answers (1xx) come before the real one.
    if (status < 200) return true;
    this.#status = status;
    this.#headers = headers;
    return true;
  }

  onData(chunk: Buffer): boolean {
    // A chunk stays valid after this call: undici copies it out of its parser's memory.
    if (this.#chunk === undefined) this.#chunk = chunk;
    else (this.#chunks ??= [this.#chunk]).push(chunk);
    return true;
  }

  onComplete(): void {
    if (this.#settled) return;
    const body = this.#chunks === undefined ? (this.#chunk ?? EMPTY) : Buffer.concat(this.#chunks);
    if (this.#status < 200 || this.#status > 299) {
      this.#fail(this.#errorOfAnswer(body));
      return;
    }
    const type = headerOf(this.#headers, 'content-type') ?? '';
    // An answer without fields is no bytes at all and needs no type.
    if (body.byteLength > 0 && !type.startsWith(PROTOBUF)) {
      const text = `an answer of type "${type}", not ${PROTOBUF}: is this the address of an OmenDB server?`;
      this.#fail(errorFor('INTERNAL', 'INVALID_RESPONSE', text, { requestId: this.#request.requestId }));
      return;
    }
    this.#settle();
    this.#resolve(body);
  }

  onError(cause: Error): void {
    if (this.#settled) return;
    this.#fail(cause instanceof OmenError ? cause : connectionError(cause, this.#request.requestId));
  }

  #errorOfAnswer(body: Buffer): OmenError {
    return errorOfHttpBody(body, headerOf(this.#headers, 'content-type') ?? '', {
      httpStatus: this.#status,
      retryAfterMs: parseRetryAfter(headerOf(this.#headers, 'retry-after'), Date.now()),
      requestId: headerOf(this.#headers, 'x-request-id') ?? this.#request.requestId,
    });
  }

  #stop(error: OmenError): void {
    this.#fail(error);
    this.#abortRequest?.(error);
  }

  #fail(error: OmenError): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#settled = true;
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#request.signal?.removeEventListener('abort', this.#onAbort);
  }
}

const EMPTY = Buffer.alloc(0);

function connectionError(cause: Error, requestId: string): OmenError {
  const kind = (cause as { code?: unknown }).code;
  if (kind === 'UND_ERR_DESTROYED' || kind === 'UND_ERR_CLOSED') {
    return errorFor('CANCELLED', 'CLIENT_CLOSED', 'the client is closed', { requestId, cause });
  }
  if (kind === 'UND_ERR_INVALID_ARG') {
    return errorFor('INVALID_ARGUMENT', 'UNKNOWN', `the request cannot be sent: ${cause.message}`, {
      requestId,
      cause,
    });
  }
  const text = `no answer from the server: ${cause.message || String(kind)}`;
  return errorFor('UNAVAILABLE', 'CONNECTION_FAILED', text, { requestId, cause });
}

/** The server takes no more than a day; whoever waits longer is told by it. */
function timeoutHeader(timeoutMs: number): string {
  return String(Math.min(SERVER_TIMEOUT_MS_MAX, Math.max(1, Math.ceil(timeoutMs))));
}

/** Value of a header in undici's list of names and values. */
function headerOf(headers: readonly Buffer[], name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const key = headers[i];
    if (key?.length === name.length && key.toString('latin1').toLowerCase() === name) {
      return headers[i + 1]?.toString('latin1');
    }
  }
  return undefined;
}
