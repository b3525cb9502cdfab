/*
 * Bounds the bytes of messages that are being received, together with those of HTTP. grpc-js hands over whole
 * messages and says nothing before: dozens of clients with large batches would fill the memory first, and so
 * would one without a credential. So its way in for data is looked at, on the call object that it keeps; a
 * version that has none receives without a bound, and a test tells.
 */
import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { Metadata, ServerInterceptingCall, ServerInterceptor, StatusObject } from '@grpc/grpc-js';
import { METHODS } from '../../gen/methods.js';
import type { MethodName } from '../../gen/methods.js';
import type { Edge } from '../edge.js';
import { COUNTED_BYTES_MIN } from '../held-bytes.js';
import type { Hold } from '../held-bytes.js';
import { textOf, toServiceError } from './calls.js';

/** What grpc-js keeps of a call. */
interface Internals {
  handleDataFrame?: (data: Uint8Array) => void;
  readonly stream?: ServerHttp2Stream;
  readonly metadata?: Metadata;
  readonly decoder?: { readPartialMessage?: readonly Uint8Array[] };
}

type Call = InstanceType<typeof ServerInterceptingCall>;

/**
 * Ends a call whose message no longer fits with `OVERLOADED`, and one whose message is large and whose
 * credential is wrong with what is wrong with it. Small messages are not looked at.
 */
export function boundReceivedBytes(
  edge: Edge,
  methodAt: (path: string) => MethodName | undefined,
): ServerInterceptor {
  return (definition, given) => {
    const call = given as Call;
    const internals = call as unknown as Internals;
    const receive = internals.handleDataFrame?.bind(call);
    const { stream, metadata } = internals;
    const name = methodAt(definition.path);
    if (name === undefined || receive === undefined || stream === undefined) return call;
    let received = 0;
    let upload: Upload | undefined;
    internals.handleDataFrame = (data) => {
      received += data.length;
      if (received >= COUNTED_BYTES_MIN) {
        upload ??= new Upload(edge, name, call, stream);
        upload.grow(received, metadata === undefined ? undefined : textOf(metadata, 'authorization'));
      }
      // What a refused client still sends is read, or its connection would stand still for other calls.
      if (upload?.refused !== true) receive(data);
    };
    return call;
  };
}

/** A large message on its way in. */
class Upload {
  refused = false;
  #begun = false;
  readonly #hold: Hold;

  constructor(
    private readonly edge: Edge,
    private readonly name: MethodName,
    private readonly call: Call,
    private readonly stream: ServerHttp2Stream,
  ) {
    this.#hold = edge.held.open();
    stream.once('close', () => {
      this.#hold.release();
    });
    // A client that sends nothing more for as long as a request may last has given up.
    stream.setTimeout(edge.deps.requestTimeoutMs, () => {
      stream.close(constants.NGHTTP2_CANCEL);
    });
  }

  /** It has `total` bytes by now. */
  grow(total: number, credential: string | undefined): void {
    if (this.refused) return;
    try {
      if (!this.#begun) this.#identify(credential);
      this.#begun = true;
      this.#hold.grow(total);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #identify(credential: string | undefined): void {
    const identity = this.edge.identify(METHODS[this.name], credential);
    if (identity instanceof Promise) identity.catch(this.#refuse);
  }

  readonly #refuse = (thrown: unknown): void => {
    const { edge, name, call, stream } = this;
    if (this.refused || stream.headersSent || stream.destroyed) return;
    this.refused = true;
    const requestId = edge.requestId(undefined);
    const meter = edge.requests.of('grpc', name);
    const error = edge.ends.failed({ method: METHODS[name].name, requestId, meter }, thrown);
    // What came so far is let go of at once, and the client is told to send no more.
    const { decoder } = call as unknown as Internals;
    if (decoder !== undefined) decoder.readPartialMessage = [];
    stream.once('finish', () => {
      stream.close(constants.NGHTTP2_NO_ERROR);
    });
    call.sendStatus(toServiceError(error, requestId) as StatusObject);
  };
}
