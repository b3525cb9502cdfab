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
import type { CallContext } from '../call-context.js';
import type { Edge } from '../edge.js';
import { messageOf, statusToBytes } from '../errors.js';
import type { Hold } from '../held-bytes.js';
import { COUNTED_BYTES_MIN } from '../held-bytes.js';
import type { Asked } from '../request-ends.js';

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
  const meter = edge.requests.of('grpc', name);
  const call = edge.bind(name, method, meter);

  async function serve(grpcCall: RawCall, answer: Answer): Promise<void> {
    const context = edge.open(answer.asked.requestId, remainingMs(grpcCall));
    answer.context = context;
    if (edge.traces) edge.trace(context, answer.asked, (header) => textOf(grpcCall.metadata, header));
    context.watch(answer.fail);
    grpcCall.on('cancelled', () => {
      context.cancel(edge.deps.clock.monotonic());
    });
    let identity = edge.identify(method, textOf(grpcCall.metadata, 'authorization'));
    if (identity instanceof Promise) identity = await identity;
    const caller = identity;
    edge.lap(context, 'auth');
    const request = method.request.decode(grpcCall.request);
    edge.lap(context, 'decode');
    const steps = {
      answer: () => call(context, caller, request),
      encode: method.response.encode,
    };
    const message = await edge.produce(context, request, steps, () => answer.over);
    if (message !== undefined) answer.succeed(message, holdFor(edge, message));
  }

  return (grpcCall, callback) => {
    const requestId = edge.requestId(textOf(grpcCall.metadata, 'x-request-id'));
    const answer = new Answer(callback, edge, { requestId, method: method.name, meter });
    try {
      edge.enter(meter);
    } catch (error) {
      answer.fail(error);
      return;
    }
    serve(grpcCall, answer)
      .catch(answer.fail)
      .finally(() => {
        edge.leave(meter);
      });
  };
}

/** An error as grpc-js sends it. */
export function toServiceError(error: OmenError, requestId: string): Partial<ServiceError> {
  const metadata = new Metadata();
  metadata.set(STATUS_DETAILS, asBuffer(statusToBytes(error, requestId)));
  return { code: GRPC_CODES[error.row.grpc], details: messageOf(error), metadata };
}

/**
 * What large answers hold, until the connection has taken them: the listener looks for it when it sends a
 * message, and lets go of it.
 */
export const HELD_ANSWERS = new WeakMap<Uint8Array, Hold>();

/** Throws `OVERLOADED` when the answers under way leave no room for this one. */
function holdFor(edge: Edge, message: Uint8Array): Hold | undefined {
  if (message.byteLength < COUNTED_BYTES_MIN) return undefined;
  const hold = edge.held.open();
  hold.grow(message.byteLength);
  return hold;
}

/** Answers at most once, and counts it. */
class Answer {
  context: CallContext | undefined;
  #answered = false;

  constructor(
    private readonly callback: sendUnaryData<Uint8Array>,
    private readonly edge: Edge,
    readonly asked: Asked,
  ) {}

  /** True when the request was answered or the client is gone. */
  get over(): boolean {
    return this.#answered;
  }

  succeed(message: Uint8Array, hold: Hold | undefined): void {
    const { context } = this;
    if (!this.#end() || context === undefined) {
      hold?.release();
      return;
    }
    if (hold !== undefined) HELD_ANSWERS.set(message, hold);
    this.edge.ends.succeeded(this.asked, context, message.length);
    this.callback(null, message);
  }

  readonly fail = (thrown: unknown): void => {
    if (!this.#end()) return;
    const error = this.edge.ends.failed(this.asked, thrown, this.context);
    this.callback(toServiceError(error, this.asked.requestId));
  };

  #end(): boolean {
    if (this.#answered) return false;
    this.#answered = true;
    this.context?.finish();
    return true;
  }
}

/** What is left of the client's time; undefined when it set no deadline. */
function remainingMs(call: RawCall): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? Math.max(1, deadline - Date.now()) : undefined;
}

/** The first value of an entry, if it is text. */
export function textOf(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key)[0];
  return typeof value === 'string' ? value : undefined;
}
