/*
 * Errors on the wire: `google.rpc.Status` with the reason always, in protobuf and in JSON. Both transports
 * and both encodings send the same facts.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { ErrorReason } from '../core/errors.js';
import { ERROR_TABLE, GRPC_CODES, OmenError } from '../core/errors.js';
import { ERROR_DOMAIN } from '../gen/error-reasons.js';
import { InvalidRequest } from '../gen/runtime/place.js';

const TYPE_URL = 'type.googleapis.com/';
/** gRPC clients accept 8 KiB of trailers, in which details travel as base64. */
const DETAILS_BYTES_MAX = 4096;
const MESSAGE_CHARACTERS_MAX = 1024;

/** Anything thrown, as the error that the client gets. Mistakes of ours leave without their text. */
export function errorFor(thrown: unknown, requestId: string): OmenError {
  if (thrown instanceof InvalidRequest) return fromInvalidRequest(thrown);
  if (thrown instanceof OmenError && thrown.reason !== 'INTERNAL') return withoutInsides(thrown, requestId);
  const message = `a mistake in the server; its log tells more about request ${requestId}`;
  return new OmenError('INTERNAL', message, { cause: thrown });
}

/**
 * What a store or its adapter says is for whoever runs the server: it names buckets, hosts and keys. Only the
 * texts about the outcome of a write are made for the client.
 */
function withoutInsides(error: OmenError, requestId: string): OmenError {
  const { reason, metadata, retryAfterMs } = error;
  if (reason !== 'STORAGE_UNAVAILABLE' || metadata['outcome'] !== undefined) return error;
  return new OmenError(
    reason,
    `the storage of the server does not answer: try again later; its log tells more about request ${requestId}`,
    { cause: error, retryAfterMs: retryAfterMs ?? 1000 },
  );
}

/** An encoded `google.rpc.Status`. */
export function statusToBytes(error: OmenError, requestId: string): Uint8Array {
  let violations = error.violations;
  for (;;) {
    const bytes = encodeStatus(error, violations, requestId);
    if (bytes.length <= DETAILS_BYTES_MAX || violations.length === 0) return bytes;
    violations = violations.slice(0, violations.length >> 1);
  }
}

/** The body of an HTTP error. */
export function statusToJson(error: OmenError, requestId: string): string {
  const { row, reason, metadata, violations, retryAfterMs } = error;
  const details: object[] = [
    { '@type': `${TYPE_URL}google.rpc.ErrorInfo`, reason, domain: ERROR_DOMAIN, metadata },
  ];
  if (violations.length > 0) {
    details.push({ '@type': `${TYPE_URL}google.rpc.BadRequest`, fieldViolations: violations });
  }
  if (retryAfterMs !== undefined) {
    details.push({ '@type': `${TYPE_URL}google.rpc.RetryInfo`, retryDelay: `${retryAfterMs / 1000}s` });
  }
  details.push({ '@type': `${TYPE_URL}google.rpc.RequestInfo`, requestId });
  return JSON.stringify({ error: { code: row.http, status: row.grpc, message: messageOf(error), details } });
}

/** The text of an error as it may travel: bounded, and without halves of surrogate pairs. */
export function messageOf(error: OmenError): string {
  const { message } = error;
  const short =
    message.length > MESSAGE_CHARACTERS_MAX ? `${message.slice(0, MESSAGE_CHARACTERS_MAX - 1)}…` : message;
  return short.toWellFormed();
}

function fromInvalidRequest(invalid: InvalidRequest): OmenError {
  const known = Object.hasOwn(ERROR_TABLE, invalid.reason);
  const reason = known ? (invalid.reason as ErrorReason) : 'INVALID_ARGUMENT';
  const violations = invalid.violations.map(({ field, description }) => ({ field, description }));
  return new OmenError(reason, invalid.message, { violations });
}

function encodeStatus(error: OmenError, violations: OmenError['violations'], requestId: string): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(8).int32(GRPC_CODES[error.row.grpc]);
  writer.uint32(18).string(messageOf(error));
  any(writer, 'google.rpc.ErrorInfo', (info) => {
    info.uint32(10).string(error.reason).uint32(18).string(ERROR_DOMAIN);
    for (const [key, value] of Object.entries(error.metadata)) {
      info.uint32(26).fork().uint32(10).string(key).uint32(18).string(value.toWellFormed()).join();
    }
  });
  if (violations.length > 0) {
    any(writer, 'google.rpc.BadRequest', (request) => {
      for (const { field, description } of violations) {
        const [at, what] = [field.toWellFormed(), description.toWellFormed()];
        request.uint32(10).fork().uint32(10).string(at).uint32(18).string(what).join();
      }
    });
  }
  const { retryAfterMs } = error;
  if (retryAfterMs !== undefined) {
    any(writer, 'google.rpc.RetryInfo', (info) => {
      const nanos = Math.round((retryAfterMs % 1000) * 1e6);
      info
        .uint32(10)
        .fork()
        .uint32(8)
        .int64(Math.floor(retryAfterMs / 1000))
        .uint32(16)
        .int32(nanos)
        .join();
    });
  }
  any(writer, 'google.rpc.RequestInfo', (info) => info.uint32(10).string(requestId));
  return writer.finish();
}

/** One entry of `Status.details`: a `google.protobuf.Any`. */
function any(writer: BinaryWriter, type: string, write: (writer: BinaryWriter) => void): void {
  const content = new BinaryWriter();
  write(content);
  writer
    .uint32(26)
    .fork()
    .uint32(10)
    .string(TYPE_URL + type)
    .uint32(18)
    .bytes(content.finish())
    .join();
}
