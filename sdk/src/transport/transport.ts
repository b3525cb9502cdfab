/*
 * What carries a call to the server. A transport moves bytes: requests come to it encoded and answers leave
 * it encoded, so that the two transports differ in nothing that a caller can see. It sends a call once;
 * repetition is decided above it.
 */
import { setMaxListeners } from 'node:events';
import type { Method } from '../gen/runtime/method.js';

/** What a transport and the retry rules must know about a method. */
export type MethodInfo = Pick<
  Method<unknown, unknown>,
  'name' | 'grpcPath' | 'verb' | 'hasBody' | 'readOnly' | 'idempotent'
>;

/** One call, sent once. */
export interface TransportRequest {
  readonly method: MethodInfo;
  /** Path and query string of the HTTP route with everything filled in. */
  readonly target: string;
  /** The request, as protobuf. Not changed and not kept by the transport after the answer. */
  readonly body: Uint8Array;
  /** Value of the `authorization` header. */
  readonly authorization: string | undefined;
  /** Sent as `x-request-id` when a header can hold it; see `isHeaderSafe`. */
  readonly requestId: string;
  /** Other headers. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** Give up after this many milliseconds; the server is told. */
  readonly timeoutMs: number;
  /** Give up when it fires. */
  readonly signal: AbortSignal | undefined;
}

/** Sends calls. */
export interface Transport {
  /** The answer as protobuf. Rejects with `OmenError` only. */
  send(request: TransportRequest): Promise<Uint8Array>;
  /**
   * Lets the calls in flight finish for at most `graceMs`, then closes all connections. May be called twice.
   */
  close(graceMs: number): Promise<void>;
}

/** What a transport is made from. */
export interface TransportContext {
  /** Where the server is. */
  readonly endpoint: URL;
  /** Most connections, for transports that have many. */
  readonly connections: number;
  /** Value of the `omendb-client` header. */
  readonly clientName: string;
  /** Headers sent with every call. */
  readonly defaultHeaders: Readonly<Record<string, string>>;
}

/** Makes a transport; given as `transport` to `OmenClient`. */
export type TransportFactory = (context: TransportContext) => Transport;

/** Whether the server takes a request id from a header; a write carries any id in its message too. */
export function isHeaderSafe(requestId: string): boolean {
  return /^[!-~]{1,128}$/.test(requestId);
}

/**
 * Calls `stop` when the signal fires. Many calls may share a signal; Node would take that many listeners for
 * a leak.
 */
export function onAbort(signal: AbortSignal, stop: () => void): void {
  setMaxListeners(LISTENERS_MAX, signal);
  signal.addEventListener('abort', stop, { once: true });
}

const LISTENERS_MAX = 10_000;
