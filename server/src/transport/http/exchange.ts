/*
 * One HTTP request and its answer, whichever of them comes to an end first: it is answered at most once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { OmenError } from '../../core/errors.js';
import { OmenError as Refusal } from '../../core/errors.js';
import type { CallContext } from '../call-context.js';
import type { Edge } from '../edge.js';
import { COUNTED_BYTES_MIN } from '../held-bytes.js';
import type { Hold } from '../held-bytes.js';
import { statusToBytes, statusToJson } from '../errors.js';
import type { Asked } from '../request-ends.js';
import type { OperationMeter } from '../request-metrics.js';
import type { Encoding } from './negotiate.js';
import { JSON_TYPE, PROTOBUF, encodingOfAnswer } from './negotiate.js';

const TIMEOUT_MS_MAX = 24 * 60 * 60 * 1000;

const LATEST = new WeakMap<Socket, Exchange>();

export class Exchange implements Asked {
  readonly requestId: string;
  readonly encoding: Encoding;
  #context: CallContext | undefined;
  #answered = false;
  readonly #sent: Hold;

  constructor(
    private readonly edge: Edge,
    /** Name of the method or path, for the log. */
    readonly method: string,
    readonly meter: OperationMeter,
    readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    this.#sent = edge.held.open();
    this.requestId = edge.requestId(textOf(request.headers['x-request-id']));
    this.encoding = encodingOfAnswer(request.headers);
    LATEST.set(request.socket, this);
  }

  /** The request on a connection that has not come in completely; undefined between two requests. */
  static unfinishedOn(socket: Socket): Exchange | undefined {
    const latest = LATEST.get(socket);
    return latest?.request.complete === false ? latest : undefined;
  }

  /** Starts the clock. Throws `INVALID_ARGUMENT` for a time-out that is none. */
  begin(): CallContext {
    const context = this.edge.open(this.requestId, timeoutOf(this.request));
    this.#context = context;
    if (this.edge.traces) this.edge.trace(context, this, (name) => textOf(this.request.headers[name]));
    context.watch((reason) => {
      this.fail(reason);
    });
    this.response.once('close', () => {
      // After the answer this changes nothing.
      context.cancel(this.edge.deps.clock.monotonic());
    });
    return context;
  }

  /** True when the request was answered or the client is gone: there is nothing left to do. */
  get over(): boolean {
    return this.#answered;
  }

  /** Sends a successful answer. Throws `OVERLOADED` when the answers under way leave no room for it. */
  answer(body: Uint8Array | string): void {
    const context = this.#context;
    if (this.#answered || context === undefined) return;
    this.#holdUntilSent(body.length);
    this.#end();
    this.edge.ends.succeeded(this, context, body.length);
    this.#write(200, body, []);
  }

  /** Sends anything thrown as an error. */
  fail(thrown: unknown): void {
    if (!this.#end()) return;
    const error = this.edge.ends.failed(this, thrown, this.#context);
    const body =
      this.encoding === 'protobuf'
        ? statusToBytes(error, this.requestId)
        : statusToJson(error, this.requestId);
    this.#write(error.row.http, body, headersOf(error));
  }

  /**
   * The connection broke off inside of the request, and is answered by whoever noticed. False when the
   * request was answered already.
   */
  breakOff(error: OmenError): boolean {
    if (!this.#end()) return false;
    this.edge.ends.failed(this, error, this.#context);
    return true;
  }

  #holdUntilSent(bytes: number): void {
    if (bytes < COUNTED_BYTES_MIN) return;
    this.#sent.grow(bytes);
    this.response.once('close', () => {
      this.#sent.release();
    });
    // A client that takes nothing for as long as a request may last has given up.
    this.response.setTimeout(this.edge.deps.requestTimeoutMs, () => {
      this.response.destroy();
    });
  }

  #end(): boolean {
    if (this.#answered) return false;
    this.#answered = true;
    this.#context?.finish();
    return true;
  }

  #write(status: number, content: Uint8Array | string, more: string[]): void {
    if (this.response.destroyed) return;
    const body = typeof content === 'string' ? Buffer.from(content) : content;
    const headers = [
      'content-type',
      this.encoding === 'protobuf' ? PROTOBUF : JSON_TYPE,
      'content-length',
      String(body.length),
      'x-request-id',
      this.requestId,
      ...more,
    ];
    if (this.edge.draining) headers.push('connection', 'close');
    this.response.writeHead(status, headers);
    this.response.end(body);
  }
}

function headersOf(error: OmenError): string[] {
  const headers: string[] = [];
  if (error.retryAfterMs !== undefined)
    headers.push('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
  if (error.row.http === 401) headers.push('www-authenticate', 'Bearer');
  return headers;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** The `omendb-timeout-ms` header. */
function timeoutOf(request: IncomingMessage): number | undefined {
  const text = request.headers['omendb-timeout-ms'];
  if (text === undefined) return undefined;
  const ms = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (ms >= 1 && ms <= TIMEOUT_MS_MAX) return ms;
  throw new Refusal(
    'INVALID_ARGUMENT',
    `the header omendb-timeout-ms must be a whole number from 1 to ${TIMEOUT_MS_MAX}`,
    {
      field: 'omendb-timeout-ms',
    },
  );
}
