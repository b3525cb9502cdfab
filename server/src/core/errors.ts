/*
 * Every error a user can meet, in one table.
 *
 * A reason decides everything else about an error: the gRPC code, the HTTP status, whose fault it is, whether
 * a retry can help, the metric label and the log level. Text is for people and may change; the reason is API
 * and never does.
 */

/** gRPC status codes by name, with the numbers of the gRPC specification. */
export const GRPC_CODES = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcCodeName = keyof typeof GRPC_CODES;

/** Codes as label values of metrics: those of errors, and `OK`. */
export const GRPC_CODE_NAMES = ['OK', ...(Object.keys(GRPC_CODES) as GrpcCodeName[])] as const;

/** The coarse kinds of errors that metrics tell apart. */
export const ERROR_TYPES = [
  'aborted',
  'already_exists',
  'cancelled',
  'data_loss',
  'deadline_exceeded',
  'draining',
  'failed_precondition',
  'internal',
  'invalid_argument',
  'memory_exhausted',
  'not_found',
  'overloaded',
  'permission_denied',
  'quota_exceeded',
  'rate_limited',
  'storage',
  'unauthenticated',
  'unimplemented',
  'write_backpressure',
] as const;

export type ErrorType = (typeof ERROR_TYPES)[number];

/** What the error table says about one reason. */
export interface ErrorRow {
  readonly grpc: GrpcCodeName;
  readonly http: number;
  /** The `type` of `omendb_errors_total`. */
  readonly type: ErrorType;
  /** Who has to act: `client` errors are logged at debug level, `server` errors at error level. */
  readonly fault: 'client' | 'server';
  /**
   * `never`: the same request fails again. `backoff`: it may succeed later. `refresh`: after renewing the
   * credential.
   */
  readonly retry: 'never' | 'backoff' | 'refresh';
}

const row =
  (fault: ErrorRow['fault']) =>
  (type: ErrorType, grpc: GrpcCodeName, http: number, retry: ErrorRow['retry'] = 'never'): ErrorRow => ({
    type,
    grpc,
    http,
    fault,
    retry,
  });
const client = row('client');
const server = row('server');

export const ERROR_TABLE = {
  INVALID_ARGUMENT: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  MALFORMED_BODY: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  UNKNOWN_FIELD: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  UNKNOWN_OPERATOR: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  INVALID_FILTER: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  INVALID_VECTOR: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  ZERO_VECTOR: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  DIMENSION_MISMATCH: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  INVALID_ID: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  DUPLICATE_ID: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  INVALID_ATTRIBUTE: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  INTEGER_PRECISION_LOSS: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  INVALID_COLLECTION_NAME: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  INVALID_PAGE_TOKEN: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  EMPTY_BATCH: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  BATCH_TOO_LARGE: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  REQUEST_ID_REUSED: client('invalid_argument', 'INVALID_ARGUMENT', 400),
  MESSAGE_TOO_LARGE: client('invalid_argument', 'RESOURCE_EXHAUSTED', 413),
  UNSUPPORTED_MEDIA_TYPE: client('invalid_argument', 'INVALID_ARGUMENT', 415),
  MISSING_CREDENTIALS: client('unauthenticated', 'UNAUTHENTICATED', 401),
  INVALID_TOKEN: client('unauthenticated', 'UNAUTHENTICATED', 401),
  TOKEN_EXPIRED: client('unauthenticated', 'UNAUTHENTICATED', 401, 'refresh'),
  TOKEN_LIFETIME: client('unauthenticated', 'UNAUTHENTICATED', 401),
  KEY_REVOKED: client('unauthenticated', 'UNAUTHENTICATED', 401),
  SCOPE_MISSING: client('permission_denied', 'PERMISSION_DENIED', 403),
  COLLECTION_NOT_FOUND: client('not_found', 'NOT_FOUND', 404),
  RECORD_NOT_FOUND: client('not_found', 'NOT_FOUND', 404),
  METHOD_NOT_FOUND: client('unimplemented', 'UNIMPLEMENTED', 404),
  COLLECTION_EXISTS: client('already_exists', 'ALREADY_EXISTS', 409),
  ETAG_MISMATCH: client('aborted', 'ABORTED', 409),
  COLLECTION_BUSY: client('aborted', 'ABORTED', 409, 'backoff'),
  CONDITION_FAILED: client('failed_precondition', 'FAILED_PRECONDITION', 400),
  RATE_LIMITED: client('rate_limited', 'RESOURCE_EXHAUSTED', 429, 'backoff'),
  QUOTA_EXCEEDED: client('quota_exceeded', 'RESOURCE_EXHAUSTED', 429),
  WRITE_BACKPRESSURE: server('write_backpressure', 'RESOURCE_EXHAUSTED', 429, 'backoff'),
  CANCELLED: client('cancelled', 'CANCELLED', 499),
  DEADLINE_EXCEEDED: server('deadline_exceeded', 'DEADLINE_EXCEEDED', 504, 'backoff'),
  OVERLOADED: server('overloaded', 'UNAVAILABLE', 503, 'backoff'),
  DRAINING: server('draining', 'UNAVAILABLE', 503, 'backoff'),
  MEMORY_EXHAUSTED: server('memory_exhausted', 'UNAVAILABLE', 503, 'backoff'),
  STORAGE_FULL: server('storage', 'UNAVAILABLE', 503, 'backoff'),
  STORAGE_UNAVAILABLE: server('storage', 'UNAVAILABLE', 503, 'backoff'),
  DATA_CORRUPTED: server('data_loss', 'DATA_LOSS', 500),
  INTERNAL: server('internal', 'INTERNAL', 500),
  SNAPSHOT_NOT_FOUND: client('not_found', 'NOT_FOUND', 404),
  SNAPSHOT_EXISTS: client('already_exists', 'ALREADY_EXISTS', 409),
  MOMENT_NOT_KEPT: client('failed_precondition', 'FAILED_PRECONDITION', 400),
} as const satisfies Record<string, ErrorRow>;

export type ErrorReason = keyof typeof ERROR_TABLE;

/** One thing wrong with a request; `field` is a path in JSON names, such as `records[3].vector`. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

export interface OmenErrorDetails {
  /**
   * Path of the offending part of the request, in JSON names. Shorthand for one violation with the error's
   * message.
   */
  readonly field?: string;
  readonly violations?: readonly FieldViolation[];
  /** Facts a program may read; never secrets, vectors or attributes. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Smallest useful wait before a retry, milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * The only error class that crosses a layer. Anything else that is thrown is a bug and reaches the user as
 * `INTERNAL`.
 */
export class OmenError extends Error {
  override readonly name = 'OmenError';
  readonly violations: readonly FieldViolation[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly reason: ErrorReason,
    message: string,
    details: OmenErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.violations =
      details.violations ??
      (details.field === undefined ? [] : [{ field: details.field, description: message }]);
    this.metadata = details.metadata ?? {};
    this.retryAfterMs = details.retryAfterMs;
  }

  get row(): ErrorRow {
    return ERROR_TABLE[this.reason];
  }
}

/** Whether something thrown is an error with this reason. */
export function hasReason(error: unknown, reason: ErrorReason): error is OmenError {
  return error instanceof OmenError && error.reason === reason;
}

/** A broken assumption of ours, never the user's doing. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
