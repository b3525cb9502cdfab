/*
 * One gRPC method. grpc-js hands over the bytes of the message as they came, so that a message that cannot be
 * decoded is answered like any other mistake, with a reason.
 */
import type {
  MethodDefinition,
  ServerUnaryCall,
  ServiceError,
  handleUnaryCall,
  sendUnaryData,
} from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';
import type { OmenError } from '../../core/errors.js';
import { GRPC_CODES } from '../../core/errors.js';
import type { MethodName, MethodTypes, ServerMethod } from '../../gen/methods.js';
import { asBuffer } from '../../gen/runtime/method.js';
import type { Edge } from '../edge.js';
import { messageOf, statusToBytes } from '../errors.js';

/** The trailer that carries `google.rpc.Status`. */
export const STATUS_DETAILS = 'grpc-status-details-bin';

type Method<N extends MethodName> = ServerMethod<MethodTypes[N]['request'], MethodTypes[N]['response']>;
type RawCall = ServerUnaryCall<Buffer, Uint8Array>;

/** Bytes in, bytes out: the message is decoded and encoded by the handler. */
export function definitionOf(path: string): MethodDefinition<Buffer, Uint8Array> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes) => bytes,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: asBuffer,
    responseDeserialize: (bytes) => bytes,
  };
}

export function handlerOf<N extends MethodName>(
  edge: Edge,
  name: N,
  method: Method<N>,
): handleUnaryCall<Buffer, Uint8Array> {
  const call = edge.bind(name, method);

  async function serve(grpcCall: RawCall, requestId: string, answer: Answer): Promise<void> {
    const context = edge.open(requestId, remainingMs(grpcCall));
    answer.onEnd = () => {
      context.finish();
    };
    context.watch(answer.fail);
    grpcCall.on('cancelled', () => {
      context.cancel();
    });
    let identity = edge.identify(method, textOf(grpcCall.metadata, 'authorization'));
    if (identity instanceof Promise) identity = await identity;
    const caller = identity;
    const request = method.request.decode(grpcCall.request);
    const steps = {
      answer: () => call(context, caller, request),
      encode: method.response.encode,
    };
    const message = await edge.produce(request, steps, () => answer.over);
    if (message !== undefined) answer.succeed(message);
  }

  return (grpcCall, callback) => {
    const requestId = edge.requestId(textOf(grpcCall.metadata, 'x-request-id'));
    const answer = new Answer(callback, requestId, (thrown) => edge.errorFor(thrown, method.name, requestId));
    try {
      edge.enter();
    } catch (error) {
      answer.fail(error);
      return;
    }
    serve(grpcCall, requestId, answer)
      .catch(answer.fail)
      .finally(() => {
        edge.leave();
      });
  };
}

/** An error as grpc-js sends it. */
export function toServiceError(error: OmenError, requestId: string): Partial<ServiceError> {
  const metadata = new Metadata();
  metadata.set(STATUS_DETAILS, asBuffer(statusToBytes(error, requestId)));
  return { code: GRPC_CODES[error.row.grpc], details: messageOf(error), metadata };
}

/** Answers at most once. */
class Answer {
  onEnd: (() => void) | undefined;
  #answered = false;

  constructor(
    private readonly callback: sendUnaryData<Uint8Array>,
    private readonly requestId: string,
    private readonly errorFor: (thrown: unknown) => OmenError,
  ) {}

  /** True when the request was answered or the client is gone. */
  get over(): boolean {
    return this.#answered;
  }

  succeed(message: Uint8Array): void {
    if (this.#end()) this.callback(null, message);
  }

  readonly fail = (thrown: unknown): void => {
    if (this.#end()) this.callback(toServiceError(this.errorFor(thrown), this.requestId));
  };

  #end(): boolean {
    if (this.#answered) return false;
    this.#answered = true;
    this.onEnd?.();
    return true;
  }
}

/** What is left of the client's time; undefined when it set no deadline. */
function remainingMs(call: RawCall): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? Math.max(1, deadline - Date.now()) : undefined;
}

function textOf(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key)[0];
  return typeof value === 'string' ? value : undefined;
}
