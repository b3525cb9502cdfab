// Generated from proto/ by `npm run generate`. Do not edit: a test compares it with a fresh run.
/** Why a request failed. Sent as `google.rpc.ErrorInfo.reason` without the prefix, with domain `omendb`. */
export const ERROR_REASONS = [
  /** A value in the request breaks a rule; the field violations say which. */
  'INVALID_ARGUMENT',
  /** The body is not JSON or not the protobuf message it should be. */
  'MALFORMED_BODY',
  /** The request has a field that does not exist. */
  'UNKNOWN_FIELD',
  /** The filter has an operator that does not exist. */
  'UNKNOWN_OPERATOR',
  /** The filter cannot be understood or is too large. */
  'INVALID_FILTER',
  /** A vector has an element that is not a finite number, or cannot be read. */
  'INVALID_VECTOR',
  /** A vector of a cosine collection has length zero and so no direction. */
  'ZERO_VECTOR',
  /** A vector has not the collection's number of dimensions. */
  'DIMENSION_MISMATCH',
  /** A record id is empty, too long or not well-formed text. */
  'INVALID_ID',
  /** One batch has the same record id twice. */
  'DUPLICATE_ID',
  /** An attribute has a name or value that is not allowed. */
  'INVALID_ATTRIBUTE',
  /** A whole number in JSON is beyond ±2^53 and may have lost digits on its way. */
  'INTEGER_PRECISION_LOSS',
  /** The name is not allowed for a collection. */
  'INVALID_COLLECTION_NAME',
  /** The page token is not one that this server gave out for this request. */
  'INVALID_PAGE_TOKEN',
  /** The batch holds nothing. */
  'EMPTY_BATCH',
  /** The batch holds more than a request may. */
  'BATCH_TOO_LARGE',
  /** The request id was used before for a different request. */
  'REQUEST_ID_REUSED',
  /** The body has more bytes than the server reads. */
  'MESSAGE_TOO_LARGE',
  /** The content type is neither JSON nor protobuf. */
  'UNSUPPORTED_MEDIA_TYPE',
  /** The request has no credentials. */
  'MISSING_CREDENTIALS',
  /** The credentials cannot be verified. */
  'INVALID_TOKEN',
  /** The token has expired; renew it. */
  'TOKEN_EXPIRED',
  /** The token is made to live longer than allowed. */
  'TOKEN_LIFETIME',
  /** The key was disabled. */
  'KEY_REVOKED',
  /** The credentials do not allow this. */
  'SCOPE_MISSING',
  /** No such collection. */
  'COLLECTION_NOT_FOUND',
  /** No such record. */
  'RECORD_NOT_FOUND',
  /** No such route or method. */
  'METHOD_NOT_FOUND',
  /** A collection of that name exists. */
  'COLLECTION_EXISTS',
  /** The thing was changed by somebody else. */
  'ETAG_MISMATCH',
  /** The collection is being changed by somebody else; try again. */
  'COLLECTION_BUSY',
  /** A condition of the request does not hold. */
  'CONDITION_FAILED',
  /** Too many requests; wait as told. */
  'RATE_LIMITED',
  /** A quota of the tenant is used up. */
  'QUOTA_EXCEEDED',
  /** Writes come faster than they can be stored; wait as told. */
  'WRITE_BACKPRESSURE',
  /** The caller gave up. */
  'CANCELLED',
  /** The time allowed was not enough. */
  'DEADLINE_EXCEEDED',
  /** The server has more work than it can take. */
  'OVERLOADED',
  /** The server is stopping; another one will answer. */
  'DRAINING',
  /** The server has no memory left for this. */
  'MEMORY_EXHAUSTED',
  /** The storage is full. */
  'STORAGE_FULL',
  /** The storage does not answer. */
  'STORAGE_UNAVAILABLE',
  /** Stored data is damaged. */
  'DATA_CORRUPTED',
  /** A mistake in the server; the request id helps to find it. */
  'INTERNAL',
  /** No such snapshot. */
  'SNAPSHOT_NOT_FOUND',
  /** A snapshot of that name exists. */
  'SNAPSHOT_EXISTS',
  /** That moment of the past is not kept, or not any more. */
  'MOMENT_NOT_KEPT',
] as const;

export type ErrorReason = (typeof ERROR_REASONS)[number];

/** The domain of every `google.rpc.ErrorInfo`. */
export const ERROR_DOMAIN = 'omendb';
