/* The client of OmenDB Server: protobuf over HTTP. `./grpc` adds gRPC, `./raw` the generated messages. */
export { OmenClient } from './client.js';
export { Collection } from './collection.js';
export { Collections } from './collections.js';
export { Snapshots } from './snapshots.js';
export { Paged } from './pages.js';
export { f } from './filter/builder.js';
export type {
  Filter,
  TypedFilter,
  AnyFilter,
  FieldConditions,
  AnyFieldConditions,
  IdConditions,
} from './filter/types.js';
export * from './requests.js';
export * from './results.js';
export { BulkError } from './bulk/options.js';
export type { BulkOptions, BulkProgress, BulkReport, BulkSource, RecordFailure } from './bulk/options.js';
export { BulkRun } from './bulk/bulk-run.js';
export type { CallOptions, ClientLogger, ClientOptions, Runtime, TokenProvider } from './options.js';
export type { RetryPolicy } from './call/retry.js';
export type { Limits } from './core.js';
export type {
  MethodInfo,
  Transport,
  TransportContext,
  TransportFactory,
  TransportRequest,
} from './transport/transport.js';
export type { AnyAttributes, AttributeScalar, AttributesOf, AttributeValue } from './values/attributes.js';
export type { VectorInput } from './values/vector.js';
export {
  AlreadyExistsError,
  CancelledError,
  CLIENT_ERROR_REASONS,
  ConflictError,
  DataLossError,
  DeadlineExceededError,
  ERROR_CODES,
  FailedPreconditionError,
  InternalError,
  InvalidArgumentError,
  NotFoundError,
  OmenError,
  PermissionDeniedError,
  ResourceExhaustedError,
  UnauthenticatedError,
  UnavailableError,
  UnimplementedError,
} from './errors.js';
export type {
  ClientErrorReason,
  ErrorCode,
  ErrorReason,
  FieldViolation,
  OmenErrorDetails,
  ServerErrorReason,
} from './errors.js';
export { PACKAGE_NAME, PACKAGE_VERSION } from './package-name.js';
