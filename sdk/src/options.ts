/**
 * What can be configured, for the client as a whole and for one call. Times are in milliseconds and their
 * names end in `Ms`.
 */
import type { RetryPolicy } from './call/retry.js';
import type { TransportFactory } from './transport/transport.js';

/** How to reach a server and what to do when it does not answer. */
export interface ClientOptions {
  /**
   * Address of the server, such as `https://db.example.com` or `http://127.0.0.1:8080`. For gRPC the address
   * of the gRPC port. Default: `http://127.0.0.1:8080`.
   */
  readonly endpoint?: string | undefined;
  /** An API key (`omen_…`). Give at most one of `apiKey`, `token` and `tokenProvider`. */
  readonly apiKey?: string | undefined;
  /** A token (JWT) that does not change, such as the one that `omendb token` prints. */
  readonly token?: string | undefined;
  /**
   * Returns a token. Called when the first call needs one, again when 80 % of a token's life is over, and
   * when the server says that it has expired; never twice at the same time.
   */
  readonly tokenProvider?: TokenProvider | undefined;
  /**
   * `http` (default): protobuf over HTTP/1.1 on pooled connections. gRPC: `grpcTransport()` of the entry
   * `./grpc`.
   */
  readonly transport?: 'http' | TransportFactory | undefined;
  /** Most connections to the server that the HTTP transport keeps open, 1–1024. Default 32. */
  readonly connections?: number | undefined;
  /** Time that a call may take in all, retries included. Default 30 000. */
  readonly timeoutMs?: number | undefined;
  /** When and how often to repeat a failed call; `false` switches repetition off. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
  /** Headers sent with every call. */
  readonly defaultHeaders?: Readonly<Record<string, string>> | undefined;
  /** Told about every repeated call. Default: nobody. */
  readonly logger?: ClientLogger | undefined;
  /** Clock, timers and randomness; replaced by tests. */
  readonly runtime?: Runtime | undefined;
}

/** Returns a token, possibly by asking somebody. May throw: then the call fails with `NO_TOKEN`. */
export type TokenProvider = () => string | Promise<string>;

/** What every method takes as its last argument. */
export interface CallOptions {
  /** Ends the call early: the promise rejects with `CancelledError`, whose `cause` is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Time that this call may take in all, retries included; the server is told what is left of it. */
  readonly timeoutMs?: number | undefined;
  /** Overrides parts of the client's retry policy; `false` sends the call once. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
  /** Headers for this call, added to the default ones. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Identifies the call: in the server's log, in errors, and for a write also as its idempotency key, so that
   * a write repeated with the same id within 24 hours takes effect once. Default: a new id per call. At most
   * 128 bytes.
   */
  readonly requestId?: string | undefined;
}

/**
 * Where the client reports what it does behind the caller's back. Facts never hold credentials, vectors or
 * attributes.
 */
export interface ClientLogger {
  /** Something worth knowing, such as a call that is repeated. */
  warn(message: string, facts: Readonly<Record<string, string | number>>): void;
}

/** Time and chance as the client sees them. */
export interface Runtime {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Milliseconds since 1970, for comparing with a token's expiry. */
  wallClockMs(): number;
  /** A number from 0 (included) to 1 (excluded). */
  random(): number;
  /** A new id that nobody else has. */
  uniqueId(): string;
  /** Resolves after `ms`; rejects at once with the signal's reason when it is aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}
