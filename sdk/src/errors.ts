/*
 * Every way a call can fail, as classes: one per code, all of them `OmenError`. The reason is API and decides
 * what a program does; the message is the server's text and is for people.
 */
import type { ErrorReason as GeneratedReason } from './gen/error-reasons.js';

/** What the codes mean to the two transports: the number in gRPC and the status in HTTP. */
export const ERROR_CODES = {
  CANCELLED: { grpc: 1, http: 499 },
  UNKNOWN: { grpc: 2, http: 500 },
  INVALID_ARGUMENT: { grpc: 3, http: 400 },
  DEADLINE_EXCEEDED: { grpc: 4, http: 504 },
  NOT_FOUND: { grpc: 5, http: 404 },
  ALREADY_EXISTS: { grpc: 6, http: 409 },
  PERMISSION_DENIED: { grpc: 7, http: 403 },
  RESOURCE_EXHAUSTED: { grpc: 8, http: 429 },
  FAILED_PRECONDITION: { grpc: 9, http: 400 },
  ABORTED: { grpc: 10, http: 409 },
  OUT_OF_RANGE: { grpc: 11, http: 400 },
  UNIMPLEMENTED: { grpc: 12, http: 501 },
  INTERNAL: { grpc: 13, http: 500 },
  UNAVAILABLE: { grpc: 14, http: 503 },
  DATA_LOSS: { grpc: 15, http: 500 },
  UNAUTHENTICATED: { grpc: 16, http: 401 },
} as const;

/** The kind of an error, the same over both transports. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Why the server refused a call. */
export type ServerErrorReason = GeneratedReason;

/**
 * Why a call failed before a server's answer was read:
 * `CONNECTION_FAILED` no answer came (refused, reset, name not found); `TIMEOUT` the time budget is used up;
 * `ABORTED` the caller's signal; `CLIENT_CLOSED` the client was closed; `INVALID_RESPONSE` the answer is not
 * OmenDB's; `NO_TOKEN` the token provider failed; `SOURCE_FAILED` the source of a bulk load threw; `UNKNOWN`
 * the server or a proxy gave no reason.
 */
export const CLIENT_ERROR_REASONS = [
  'CONNECTION_FAILED',
  'TIMEOUT',
  'ABORTED',
  'CLIENT_CLOSED',
  'INVALID_RESPONSE',
  'NO_TOKEN',
  'SOURCE_FAILED',
  'UNKNOWN',
] as const;

/** A reason that the client itself gives. */
export type ClientErrorReason = (typeof CLIENT_ERROR_REASONS)[number];

/**
 * Why a call failed. Newer servers may send reasons that this client does not know, so any text is possible.
 */
export type ErrorReason = ServerErrorReason | ClientErrorReason | (string & Record<never, never>);

/** One thing wrong with a request. */
export interface FieldViolation {
  /** Path of the offending part in JSON names, such as `records[3].vector`. */
  readonly field: string;
  /** What is wrong with it. */
  readonly description: string;
}

/** What is known about a failure besides its code, reason and text. */
export interface OmenErrorDetails {
  /** HTTP status; by default the one that belongs to the code. */
  readonly status?: number | undefined;
  /** Whether the same call may succeed later; by default it follows from code and reason. */
  readonly retryable?: boolean | undefined;
  /** Smallest useful wait before a retry, milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Identifies the call in the server's log. */
  readonly requestId?: string | undefined;
  /** The parts of the request that are wrong. */
  readonly fieldViolations?: readonly FieldViolation[] | undefined;
  /** Facts that a program may read. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** How many times the call was sent. */
  readonly attempts?: number | undefined;
  /** What led to it. */
  readonly cause?: unknown;
}

/** A failed call. */
export class OmenError extends Error {
  override readonly name: string = 'OmenError';
  /** HTTP status that belongs to the failure, also when the transport was gRPC. */
  readonly status: number;
  /**
   * The same call may succeed later. Says nothing about whether it is safe to repeat: the client knows that
   * by itself.
   */
  readonly retryable: boolean;
  /** Smallest useful wait before a retry in milliseconds, if the server named one. */
  readonly retryAfterMs: number | undefined;
  /** Identifies the call in the server's log. */
  readonly requestId: string | undefined;
  /** The parts of the request that are wrong; empty when the failure is not about the request's content. */
  readonly fieldViolations: readonly FieldViolation[];
  /** Facts that a program may read, such as the limit that was exceeded. */
  readonly metadata: Readonly<Record<string, string>>;
  /** How many times the call was sent: 0 when it never left, more than 1 when it was retried. */
  readonly attempts: number;

  /** Made by the client; `errorFor` picks the class. */
  constructor(
    /** The kind of failure, such as `NOT_FOUND`. */
    readonly code: ErrorCode,
    /** The exact cause, such as `COLLECTION_NOT_FOUND`. Stable: programs may depend on it. */
    readonly reason: ErrorReason,
    message: string,
    details: OmenErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = details.status ?? ERROR_CODES[code].http;
    this.retryAfterMs = details.retryAfterMs;
    this.retryable = details.retryable ?? isRetryable(code, reason, details.retryAfterMs);
    this.requestId = details.requestId;
    this.fieldViolations = details.fieldViolations ?? [];
    this.metadata = details.metadata ?? {};
    this.attempts = details.attempts ?? 0;
  }
}

/** A value in the request breaks a rule; `fieldViolations` says which. Repeating the call fails again. */
export class InvalidArgumentError extends OmenError {
  override readonly name = 'InvalidArgumentError';
}
/** The credentials are missing, wrong or expired. */
export class UnauthenticatedError extends OmenError {
  override readonly name = 'UnauthenticatedError';
}
/** The credentials do not allow the call. */
export class PermissionDeniedError extends OmenError {
  override readonly name = 'PermissionDeniedError';
}
/** The collection or record does not exist, or belongs to somebody else. */
export class NotFoundError extends OmenError {
  override readonly name = 'NotFoundError';
}
/** A thing of that name exists. */
export class AlreadyExistsError extends OmenError {
  override readonly name = 'AlreadyExistsError';
}
/** Somebody else changed the thing at the same time. */
export class ConflictError extends OmenError {
  override readonly name = 'ConflictError';
}
/** The state of the collection does not allow the call. */
export class FailedPreconditionError extends OmenError {
  override readonly name = 'FailedPreconditionError';
}
/** A rate, quota or size limit; `retryAfterMs` says when it may help to try again. */
export class ResourceExhaustedError extends OmenError {
  override readonly name = 'ResourceExhaustedError';
}
/** The server cannot be reached or cannot take the call now. */
export class UnavailableError extends OmenError {
  override readonly name = 'UnavailableError';
}
/**
 * The time allowed was not enough. The outcome of a write is unknown, but a repetition with the same
 * `requestId` is safe.
 */
export class DeadlineExceededError extends OmenError {
  override readonly name = 'DeadlineExceededError';
}
/** The caller's signal was aborted, or the client was closed. */
export class CancelledError extends OmenError {
  override readonly name = 'CancelledError';
}
/** The server does not know the call. */
export class UnimplementedError extends OmenError {
  override readonly name = 'UnimplementedError';
}
/** A mistake in the server, or an answer that cannot be understood. */
export class InternalError extends OmenError {
  override readonly name = 'InternalError';
}
/** Stored data is damaged. */
export class DataLossError extends OmenError {
  override readonly name = 'DataLossError';
}

const CLASSES: Readonly<Record<ErrorCode, typeof OmenError>> = {
  CANCELLED: CancelledError,
  UNKNOWN: InternalError,
  INVALID_ARGUMENT: InvalidArgumentError,
  DEADLINE_EXCEEDED: DeadlineExceededError,
  NOT_FOUND: NotFoundError,
  ALREADY_EXISTS: AlreadyExistsError,
  PERMISSION_DENIED: PermissionDeniedError,
  RESOURCE_EXHAUSTED: ResourceExhaustedError,
  FAILED_PRECONDITION: FailedPreconditionError,
  ABORTED: ConflictError,
  OUT_OF_RANGE: InvalidArgumentError,
  UNIMPLEMENTED: UnimplementedError,
  INTERNAL: InternalError,
  UNAVAILABLE: UnavailableError,
  DATA_LOSS: DataLossError,
  UNAUTHENTICATED: UnauthenticatedError,
};

/** An error of the class that belongs to its code. */
export function errorFor(
  code: ErrorCode,
  reason: ErrorReason,
  message: string,
  details?: OmenErrorDetails,
): OmenError {
  return new CLASSES[code](code, reason, message, details);
}

/**
 * The same failure with what only the caller of the transport knows. The stack stays that of the first error.
 */
export function withAttempts(error: OmenError, attempts: number, requestId: string | undefined): OmenError {
  const copy = errorFor(error.code, error.reason, error.message, {
    status: error.status,
    retryable: error.retryable,
    retryAfterMs: error.retryAfterMs,
    requestId: error.requestId ?? requestId,
    fieldViolations: error.fieldViolations,
    metadata: error.metadata,
    attempts,
    cause: error.cause,
  });
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

/**
 * A request that is wrong in a way the client can see by itself; it is never sent. `field` is a path such as
 * `records[3].vector`.
 */
export function invalidArgument(reason: ServerErrorReason, field: string, description: string): OmenError {
  return errorFor('INVALID_ARGUMENT', reason, `${field}: ${description}`, {
    fieldViolations: [{ field, description }],
  });
}

/** The caller's signal fired. Its own error stays the cause, and a time-out signal counts as a time-out. */
export function abortedBy(signal: AbortSignal): OmenError {
  const cause: unknown = signal.reason;
  if (cause instanceof OmenError) return cause;
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return errorFor('DEADLINE_EXCEEDED', 'TIMEOUT', 'the time allowed by the signal is over', { cause });
  }
  return errorFor('CANCELLED', 'ABORTED', 'the call was aborted by its signal', { cause });
}

/** The total time of a call is used up. */
export function timedOut(timeoutMs: number, lastError?: OmenError): OmenError {
  const after = lastError === undefined ? '' : `; the last attempt failed: ${lastError.message}`;
  return errorFor('DEADLINE_EXCEEDED', 'TIMEOUT', `no answer within ${timeoutMs} ms${after}`, {
    retryable: true,
    cause: lastError ?? new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'),
  });
}

const BACKOFF_REASONS: ReadonlySet<string> = new Set([
  'COLLECTION_BUSY',
  'RATE_LIMITED',
  'WRITE_BACKPRESSURE',
]);

function isRetryable(code: ErrorCode, reason: ErrorReason, retryAfterMs: number | undefined): boolean {
  if (code === 'UNAVAILABLE' || code === 'DEADLINE_EXCEEDED') return reason !== 'CLIENT_CLOSED';
  if (BACKOFF_REASONS.has(reason)) return true;
  return code === 'RESOURCE_EXHAUSTED' && retryAfterMs !== undefined;
}
