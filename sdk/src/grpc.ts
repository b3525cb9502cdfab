/* gRPC in place of HTTP; needs the package `@grpc/grpc-js`. */
export { grpcTransport } from './transport/grpc.js';
export type { GrpcTransportOptions } from './transport/grpc.js';
