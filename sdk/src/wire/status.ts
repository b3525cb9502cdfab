/*
 * `google.rpc.Status` in its two forms, protobuf and JSON, to an `OmenError`. Nothing in it is trusted: a
 * proxy may answer in the server's place, so whatever cannot be understood becomes an error that still shows
 * the text that was received.
 */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { ERROR_CODES, errorFor } from '../errors.js';
import type { ErrorCode, FieldViolation, OmenError } from '../errors.js';

interface Details {
  reason: string | undefined;
  metadata: Record<string, string>;
  retryAfterMs: number | undefined;
  fieldViolations: FieldViolation[];
  requestId: string | undefined;
}

/** What the transport knows besides the status itself. */
export interface StatusContext {
  /** HTTP status, if the transport has one. */
  readonly httpStatus?: number;
  /** From `Retry-After` or gRPC metadata. */
  readonly retryAfterMs?: number | undefined;
  /** The id that was sent or that the server answered with. */
  readonly requestId?: string | undefined;
  /** The transport's own error. */
  readonly cause?: unknown;
}

const CODE_NAMES = Object.keys(ERROR_CODES) as ErrorCode[];
const CODE_BY_NUMBER = new Map(CODE_NAMES.map((name) => [ERROR_CODES[name].grpc as number, name]));
const CODE_BY_HTTP: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'UNAVAILABLE',
  409: 'ABORTED',
  412: 'ABORTED',
  413: 'RESOURCE_EXHAUSTED',
  415: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  431: 'INVALID_ARGUMENT',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};
const TEXT_SHOWN_MAX = 300;

/** Code of a gRPC status number; `UNKNOWN` for numbers that do not exist. */
export function codeOfNumber(number: number): ErrorCode {
  return CODE_BY_NUMBER.get(number) ?? 'UNKNOWN';
}

/** Code that an HTTP status stands for when the body says nothing better. */
export function codeOfHttpStatus(status: number): ErrorCode {
  return CODE_BY_HTTP[status] ?? (status >= 500 ? 'INTERNAL' : 'UNKNOWN');
}

/** Milliseconds of a `Retry-After` header: seconds or a date, compared with `nowMs` since 1970. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** The error in an HTTP answer whose body is JSON, protobuf or anything else. */
export function errorOfHttpBody(body: Uint8Array, contentType: string, context: StatusContext): OmenError {
  const status = context.httpStatus ?? 500;
  try {
    if (contentType.startsWith('application/x-protobuf')) return errorOfStatusBytes(body, context);
    if (contentType.startsWith('application/json')) {
      const error = errorOfStatusJson(JSON.parse(new TextDecoder().decode(body)), context);
      if (error !== undefined) return error;
    }
  } catch {
    // Not what the content type says: shown as text below.
  }
  const text = new TextDecoder().decode(body.subarray(0, TEXT_SHOWN_MAX)).trim();
  const seen = text === '' ? 'an empty body' : JSON.stringify(text);
  const reason = status === 413 ? 'MESSAGE_TOO_LARGE' : 'UNKNOWN';
  return errorFor(codeOfHttpStatus(status), reason, `HTTP ${status} with ${seen}, not an OmenDB error`, {
    ...known(context),
    ...(status === 429 ? { retryable: true } : {}),
  });
}

/** The error in an encoded `google.rpc.Status`. Throws when the bytes are not one. */
export function errorOfStatusBytes(bytes: Uint8Array, context: StatusContext): OmenError {
  const reader = new BinaryReader(bytes);
  let code = 2;
  let message = '';
  const details = emptyDetails();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 8) code = reader.int32();
    else if (tag === 18) message = reader.string();
    else if (tag === 26) readAny(reader.bytes(), details);
    else reader.skip(tag & 7, tag >>> 3);
  }
  return errorOfDetails(codeOfNumber(code), message, details, context);
}

/**
 * The error in `{"error":{"code":…,"status":…,"message":…,"details":[…]}}`; `undefined` when it is not that.
 */
export function errorOfStatusJson(body: unknown, context: StatusContext): OmenError | undefined {
  const error = property(body, 'error');
  const message = property(error, 'message');
  if (typeof message !== 'string') return undefined;
  const name = property(error, 'status');
  const code = CODE_NAMES.find((known) => known === name) ?? codeOfHttpStatus(context.httpStatus ?? 500);
  const details = emptyDetails();
  const list = property(error, 'details');
  for (const detail of Array.isArray(list) ? (list as unknown[]) : []) readJsonDetail(detail, details);
  return errorOfDetails(code, message, details, context);
}

function errorOfDetails(
  code: ErrorCode,
  message: string,
  details: Details,
  context: StatusContext,
): OmenError {
  return errorFor(code, details.reason ?? 'UNKNOWN', message, {
    ...known(context),
    retryAfterMs: details.retryAfterMs ?? context.retryAfterMs,
    requestId: details.requestId ?? context.requestId,
    fieldViolations: details.fieldViolations,
    metadata: details.metadata,
  });
}

function known(context: StatusContext): {
  status: number | undefined;
  retryAfterMs: number | undefined;
  requestId: string | undefined;
  cause: unknown;
} {
  const { httpStatus: status, retryAfterMs, requestId, cause } = context;
  return { status, retryAfterMs, requestId, cause };
}

function emptyDetails(): Details {
  return {
    reason: undefined,
    metadata: {},
    retryAfterMs: undefined,
    fieldViolations: [],
    requestId: undefined,
  };
}

function readAny(bytes: Uint8Array, details: Details): void {
  let type = '';
  let value: Uint8Array = new Uint8Array(0);
  eachField(bytes, (tag, reader) => {
    if (tag === 10) type = reader.string();
    else if (tag === 18) value = reader.bytes();
    else return false;
    return true;
  });
  READERS[type.slice(type.lastIndexOf('/') + 1)]?.(value, details);
}

const READERS: Readonly<Record<string, (bytes: Uint8Array, details: Details) => void>> = {
  'google.rpc.ErrorInfo': (bytes, details) => {
    eachField(bytes, (tag, reader) => {
      if (tag === 10) details.reason = reader.string();
      else if (tag === 26) {
        const [key, value] = readPair(reader.bytes());
        details.metadata[key] = value;
      } else return false;
      return true;
    });
  },
  'google.rpc.RetryInfo': (bytes, details) => {
    eachField(bytes, (tag, reader) => {
      if (tag !== 10) return false;
      details.retryAfterMs = readDurationMs(reader.bytes());
      return true;
    });
  },
  'google.rpc.BadRequest': (bytes, details) => {
    eachField(bytes, (tag, reader) => {
      if (tag !== 10) return false;
      const [field, description] = readPair(reader.bytes());
      details.fieldViolations.push({ field, description });
      return true;
    });
  },
  'google.rpc.RequestInfo': (bytes, details) => {
    details.requestId = readPair(bytes)[0];
  },
};

function readDurationMs(bytes: Uint8Array): number {
  let ms = 0;
  eachField(bytes, (tag, reader) => {
    if (tag === 8) ms += Number(reader.int64()) * 1000;
    else if (tag === 16) ms += reader.int32() / 1e6;
    else return false;
    return true;
  });
  return ms;
}

/** A message whose fields 1 and 2 are text. */
function readPair(bytes: Uint8Array): [string, string] {
  const pair: [string, string] = ['', ''];
  eachField(bytes, (tag, reader) => {
    if (tag === 10) pair[0] = reader.string();
    else if (tag === 18) pair[1] = reader.string();
    else return false;
    return true;
  });
  return pair;
}

/** Calls `read` for every field; fields it does not take are skipped. */
function eachField(bytes: Uint8Array, read: (tag: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!read(tag, reader)) reader.skip(tag & 7, tag >>> 3);
  }
}

function readJsonDetail(detail: unknown, details: Details): void {
  const type = String(property(detail, '@type'));
  if (type.endsWith('google.rpc.ErrorInfo')) {
    details.reason = textOf(property(detail, 'reason'));
    const metadata = property(detail, 'metadata');
    for (const [key, value] of Object.entries(metadata ?? {})) details.metadata[key] = String(value);
  } else if (type.endsWith('google.rpc.RetryInfo')) {
    const seconds = Number.parseFloat(textOf(property(detail, 'retryDelay')) ?? '');
    if (Number.isFinite(seconds)) details.retryAfterMs = seconds * 1000;
  } else if (type.endsWith('google.rpc.BadRequest')) {
    const violations = property(detail, 'fieldViolations');
    for (const violation of Array.isArray(violations) ? (violations as unknown[]) : []) {
      const field = textOf(property(violation, 'field')) ?? '';
      details.fieldViolations.push({ field, description: textOf(property(violation, 'description')) ?? '' });
    }
  } else if (type.endsWith('google.rpc.RequestInfo')) {
    details.requestId = textOf(property(detail, 'requestId'));
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
