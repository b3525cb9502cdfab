/*
 * What went wrong, in one form whichever way the request went, and what that means: for the next step of the
 * protocol, and for the person who runs the server.
 */
import { OmenError } from '../../core/errors.js';
import type { HttpHeaders } from './http-transport.js';
import { HttpFailure } from './http-transport.js';

/** What a failure says about the request. */
export type FailureKind =
  /** The precondition did not hold. */
  | 'precondition'
  /** Another conditional request was in work: ask again. */
  | 'conflict'
  | 'absent'
  /** The range begins behind the object. */
  | 'range'
  /** The store wants fewer requests. */
  | 'throttled'
  /** Nobody knows whether the request took effect. */
  | 'unknown'
  /** The clocks differ. The next request is signed with the store's. */
  | 'skewed'
  /** The upload of parts is not known (any more). */
  | 'no-upload'
  | 'full'
  /** A definite no, to be put right by a person. */
  | 'refused';

/** A request that did not succeed. */
export class S3Failure extends Error {
  override readonly name = 'S3Failure';

  constructor(
    /** The store's code, such as `SlowDown`, or one of the connection, such as `ECONNRESET`. */
    readonly code: string,
    message: string,
    /** Null when there was no answer. */
    readonly status: number | null,
    readonly headers: HttpHeaders = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }

  get kind(): FailureKind {
    return kindOf(this.code, this.status);
  }
}

const BY_CODE: Readonly<Record<string, FailureKind>> = {
  ...{ PreconditionFailed: 'precondition', ConditionalRequestConflict: 'conflict' },
  ...{ OperationAborted: 'conflict', NoSuchKey: 'absent', NotFound: 'absent', InvalidRange: 'range' },
  ...{ SlowDown: 'throttled', RequestLimitExceeded: 'throttled', ThrottlingException: 'throttled' },
  ...{ TooManyRequests: 'throttled', RequestTimeout: 'unknown', InternalError: 'unknown' },
  ...{ IncompleteBody: 'unknown', BadDigest: 'unknown', XAmzContentSHA256Mismatch: 'unknown' },
  ...{ RequestTimeTooSkewed: 'skewed', NoSuchUpload: 'no-upload', NoSuchBucket: 'refused' },
  ...{ XMinioStorageFull: 'full', QuotaExceeded: 'full', InsufficientStorage: 'full' },
  ...{ SlowDownRead: 'throttled', SlowDownWrite: 'throttled' },
};

const BY_STATUS: Readonly<Record<number, FailureKind>> = {
  ...{ 404: 'absent', 408: 'unknown', 409: 'conflict', 412: 'precondition', 416: 'range' },
  ...{ 429: 'throttled', 503: 'throttled', 507: 'full' },
};

function kindOf(code: string, status: number | null): FailureKind {
  if (status === null) return NEVER_SENT.has(code) ? 'refused' : 'unknown';
  if (status < 300) return 'unknown';
  return BY_CODE[code] ?? BY_STATUS[status] ?? (status >= 500 ? 'unknown' : 'refused');
}

/** Errors of a machine that is not set up to send the request at all. */
const NEVER_SENT = new Set(['CredentialsProviderError', 'TokenProviderError', 'region', 'unsupported']);

/**
 * Any error of a request as an `S3Failure`. One that neither the store nor the connection made comes of an
 * answer that the SDK could not read: then nobody knows.
 */
export function failureOf(error: unknown): S3Failure {
  if (error instanceof S3Failure) return error;
  if (!(error instanceof Error)) return new S3Failure('strange', String(error), null);
  const unanswered = (code: string): S3Failure => new S3Failure(code, error.message, null, {}, error);
  if (error instanceof HttpFailure) return unanswered(error.code);
  if (isServiceException(error)) {
    const { $metadata, $response } = error;
    const status = $metadata.httpStatusCode ?? $response?.statusCode ?? null;
    return new S3Failure(error.name, error.message, status, $response?.headers ?? {}, error);
  }
  return unanswered(/^Region (is missing|not accepted)/.test(error.message) ? 'region' : error.name);
}

interface ServiceException extends Error {
  readonly $metadata: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode: number; readonly headers: HttpHeaders };
}

function isServiceException(error: Error): error is ServiceException {
  return '$metadata' in error && typeof error.$metadata === 'object' && '$fault' in error;
}

/** The failure in the body of an answer; a HEAD has no body and is known by its status alone. */
export function failureOfAnswer(status: number, headers: HttpHeaders, body: Uint8Array): S3Failure {
  const text = new TextDecoder().decode(body.subarray(0, 4096));
  const element = (name: string): string | undefined =>
    new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  const code = element('Code') ?? (status === 404 ? 'NotFound' : `HTTP ${status}`);
  const region = element('Region') ?? headers['x-amz-bucket-region'];
  const known = region === undefined ? headers : { ...headers, 'x-amz-bucket-region': region };
  return new S3Failure(code, element('Message') ?? `the store answered ${status}`, status, known);
}

/** What was being done, for the message. */
export interface FailedCall {
  readonly action: string;
  readonly key: string;
  readonly bucket: string;
  readonly endpoint: string;
}

/** The failure as the port's contract has it, with what to do about it. */
export function storageError(failure: S3Failure, call: FailedCall): OmenError {
  const { action, key, bucket } = call;
  const full = failure.kind === 'full';
  const shown = key.length > 100 ? `${key.slice(0, 97)}...` : key;
  const what = `cannot ${action} ${JSON.stringify(shown)} in bucket ${bucket}`;
  return new OmenError(
    full ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE',
    `${what}: ${adviceFor(failure, call)} (${failure.code})`,
    { metadata: { code: failure.code }, retryAfterMs: full ? 5000 : 1000, cause: failure },
  );
}

const UNKNOWN_KEY =
  'the store does not know the access key: check AWS_ACCESS_KEY_ID, or the role of this process';

const ADVICE: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: UNKNOWN_KEY,
  // That of versitygw.
  XAdminUserNotFound: UNKNOWN_KEY,
  SignatureDoesNotMatch: 'the secret does not fit the access key: check AWS_SECRET_ACCESS_KEY',
  AccessDenied:
    'access is denied: the role of this process needs s3:GetObject, s3:PutObject, s3:DeleteObject, ' +
    's3:AbortMultipartUpload and s3:ListBucket, and the use of the key when the bucket is encrypted with one',
  ExpiredToken: 'the credentials have expired: renew AWS_SESSION_TOKEN, or use a role that renews itself',
  InvalidToken: 'the session token is not valid: check AWS_SESSION_TOKEN',
  CredentialsProviderError:
    'no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this process a role',
  NoSuchBucket: 'there is no such bucket: create it, or correct OMENDB_OBJECT_STORE',
  InvalidBucketName: 'this is no name of a bucket: correct OMENDB_OBJECT_STORE',
  RequestTimeTooSkewed:
    "the clock of this machine differs from the store's by more than the store allows: set it",
  region: 'no region is known: set AWS_REGION',
  SlowDown: 'the store asks for fewer requests',
  'KMS.NotFoundException': 'the key does not exist: correct OMENDB_S3_SSE_KMS_KEY_ID',
  'KMS.DisabledException': 'the key is disabled: enable it, or set another OMENDB_S3_SSE_KMS_KEY_ID',
};

function adviceFor(failure: S3Failure, { endpoint }: FailedCall): string {
  const { code, status, headers } = failure;
  const region = headers['x-amz-bucket-region'];
  const misplaced = [
    'PermanentRedirect',
    'AuthorizationHeaderMalformed',
    'IllegalLocationConstraintException',
  ];
  if (misplaced.includes(code) || status === 301 || status === 307)
    return region === undefined
      ? 'the bucket is in another region: set AWS_REGION to it'
      : `the bucket is in region ${region}: set AWS_REGION=${region}`;
  if (status === 403 && code.startsWith('HTTP')) return `${ADVICE['AccessDenied']}`;
  const known = ADVICE[code];
  if (known !== undefined) return known;
  if (failure.kind === 'full') return 'the store is full';
  if (status !== null) return failure.message;
  return `${endpoint} cannot be reached: ${networkAdvice(code) ?? failure.message}`;
}

function networkAdvice(code: string): string | undefined {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name is not known: check OMENDB_S3_ENDPOINT, AWS_REGION and the DNS of this machine';
    case 'ECONNREFUSED':
      return 'nothing listens there: check OMENDB_S3_ENDPOINT';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no connection came about: check OMENDB_S3_ENDPOINT and the network in between';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'EPROTO':
      return 'it does not speak TLS: write http:// in OMENDB_S3_ENDPOINT if that is meant';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'its certificate is not trusted: set NODE_EXTRA_CA_CERTS to a file with that of its authority';
    default:
      return undefined;
  }
}
