/*
 * gRPC on one HTTP/2 connection per server address. Repetition is decided above the transports, so gRPC's own
 * is switched off: two layers of it would multiply. Compression stays off because it makes floats hardly
 * smaller.
 */
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ChannelCredentials, ChannelOptions, ClientUnaryCall, ServiceError } from '@grpc/grpc-js';
import { abortedBy, errorFor, timedOut } from '../errors.js';
import type { OmenError } from '../errors.js';
import { codeOfNumber, errorOfStatusBytes, parseRetryAfter } from '../wire/status.js';
import { isHeaderSafe, onAbort } from './transport.js';
import type { Transport, TransportContext, TransportFactory, TransportRequest } from './transport.js';

/** Settings of the gRPC connection. */
export interface GrpcTransportOptions {
  /**
   * Channel credentials, such as client certificates. Default: TLS for an `https://` endpoint, none for
   * `http://`.
   */
  readonly credentials?: ChannelCredentials | undefined;
  /** Largest message in either direction. Default 64 MiB, which is the server's limit. */
  readonly maxMessageBytes?: number | undefined;
  /** How often to ask whether the connection still works while calls are in flight. Default 30 000. */
  readonly keepaliveMs?: number | undefined;
  /** How long to wait for the answer to that. Default 10 000. */
  readonly keepaliveTimeoutMs?: number | undefined;
  /**
   * Close the connection after this long without calls: below the 350 s of common load balancers. Default 240
   * 000.
   */
  readonly idleTimeoutMs?: number | undefined;
  /** How many bytes the server may send before it waits for the client to read. Default 8 MiB. */
  readonly flowControlWindowBytes?: number | undefined;
  /** Other options of grpc-js; they win over those above. */
  readonly channelOptions?: ChannelOptions | undefined;
}

/** Speaks gRPC: `new OmenClient({ endpoint: 'http://127.0.0.1:9090', transport: grpcTransport() })`. */
export function grpcTransport(options: GrpcTransportOptions = {}): TransportFactory {
  return (context) => new GrpcTransport(options, context);
}

/** Room for the request's other fields beside a payload of the largest size. */
const MESSAGE_MARGIN_BYTES = 64 * 1024;

class GrpcTransport implements Transport {
  readonly #client: Client;
  readonly #baseMetadata: Metadata;
  readonly #inFlight = new Set<ClientUnaryCall>();
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: GrpcTransportOptions, context: TransportContext) {
    const { endpoint } = context;
    const secure = endpoint.protocol === 'https:';
    const port = endpoint.port === '' ? (secure ? 443 : 80) : endpoint.port;
    const channel = options.credentials ?? (secure ? credentials.createSsl() : credentials.createInsecure());
    const maxBytes = (options.maxMessageBytes ?? 64 * 1024 * 1024) + MESSAGE_MARGIN_BYTES;
    this.#client = new Client(`dns:///${endpoint.hostname}:${port}`, channel, {
      'grpc.primary_user_agent': context.clientName,
      'grpc.enable_retries': 0,
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
      'grpc.max_send_message_length': maxBytes,
      'grpc.max_receive_message_length': maxBytes,
      'grpc.keepalive_time_ms': options.keepaliveMs ?? 30_000,
      'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs ?? 10_000,
      'grpc.keepalive_permit_without_calls': 0,
      'grpc.client_idle_timeout_ms': options.idleTimeoutMs ?? 240_000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 3_000,
      'grpc-node.flow_control_window': options.flowControlWindowBytes ?? 8 * 1024 * 1024,
      ...options.channelOptions,
    });
    this.#baseMetadata = new Metadata();
    for (const [name, value] of Object.entries(context.defaultHeaders)) this.#baseMetadata.set(name, value);
    this.#baseMetadata.set('omendb-client', context.clientName);
  }

  send(request: TransportRequest): Promise<Uint8Array> {
    const { signal, timeoutMs } = request;
    if (this.#closing !== undefined) return Promise.reject(clientClosed(request));
    if (signal?.aborted) return Promise.reject(abortedBy(signal));
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + timeoutMs;
      const cancel = (): void => call.cancel();
      const call = this.#client.makeUnaryRequest<Uint8Array, Buffer>(
        request.method.grpcPath,
        asBuffer,
        (bytes) => bytes,
        request.body,
        this.#metadataOf(request),
        { deadline },
        (error, answer) => {
          signal?.removeEventListener('abort', cancel);
          this.#inFlight.delete(call);
          if (this.#inFlight.size === 0) this.#onIdle?.();
          if (error === null && answer !== undefined) resolve(answer);
          else if (signal?.aborted) reject(abortedBy(signal));
          else if (error === null)
            reject(errorFor('INTERNAL', 'INVALID_RESPONSE', 'the server sent no message'));
          else reject(this.#closing === undefined ? errorOfCall(error, request) : clientClosed(request));
        },
      );
      this.#inFlight.add(call);
      if (signal !== undefined) {
        onAbort(signal, cancel);
      }
    });
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    if (this.#inFlight.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const call of this.#inFlight) call.cancel();
    this.#client.close();
  }

  #metadataOf(request: TransportRequest): Metadata {
    const metadata = this.#baseMetadata.clone();
    if (isHeaderSafe(request.requestId)) metadata.set('x-request-id', request.requestId);
    if (request.authorization !== undefined) metadata.set('authorization', request.authorization);
    for (const [name, value] of Object.entries(request.headers ?? {})) metadata.set(name, value);
    return metadata;
  }
}

/** What grpc-js says when a connection breaks under a call; the code it gives then is INTERNAL. */
const BROKEN_CONNECTION = /RST_STREAM|ECONNRESET|Connection dropped|GOAWAY/;
const TOO_LARGE = /larger than/;

function errorOfCall(error: ServiceError, request: TransportRequest): OmenError {
  const { requestId } = request;
  const context = {
    requestId: textOf(error.metadata, 'x-request-id') ?? requestId,
    retryAfterMs: parseRetryAfter(textOf(error.metadata, 'retry-after'), Date.now()),
    cause: error,
  };
  const [details] = error.metadata.get('grpc-status-details-bin');
  if (details instanceof Buffer) {
    try {
      return errorOfStatusBytes(details, context);
    } catch {
      // Not a status: the code and text of the call itself remain.
    }
  }
  if (error.code === status.DEADLINE_EXCEEDED) return timedOut(request.timeoutMs);
  if (
    error.code === status.UNAVAILABLE ||
    (error.code === status.INTERNAL && BROKEN_CONNECTION.test(error.details))
  ) {
    return errorFor(
      'UNAVAILABLE',
      'CONNECTION_FAILED',
      `no answer from the server: ${error.details}`,
      context,
    );
  }
  const reason =
    error.code === status.RESOURCE_EXHAUSTED && TOO_LARGE.test(error.details)
      ? 'MESSAGE_TOO_LARGE'
      : 'UNKNOWN';
  return errorFor(codeOfNumber(error.code), reason, error.details, context);
}

function clientClosed(request: TransportRequest): OmenError {
  return errorFor('CANCELLED', 'CLIENT_CLOSED', 'the client is closed', { requestId: request.requestId });
}

function textOf(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name);
  return typeof value === 'string' ? value : undefined;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
