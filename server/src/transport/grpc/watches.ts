import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';

const WATCH = '/grpc.health.v1.Health/Watch';

type Call = InstanceType<typeof ServerInterceptingCall>;

/**
 * The calls that watch the health of the server: they never end by themselves, so a stop would wait for them.
 */
export class Watches {
  readonly #calls = new Set<Call>();

  /** Sees the calls. */
  readonly interceptor: ServerInterceptor = (definition, given) => {
    const call = given as Call;
    if (definition.path !== WATCH) return call;
    this.#calls.add(call);
    const sendStatus = call.sendStatus.bind(call);
    call.sendStatus = (sent) => {
      this.#calls.delete(call);
      sendStatus(sent);
    };
    const start = call.start.bind(call);
    call.start = (listener) => {
      const onCancel = listener.onCancel.bind(listener);
      start({
        onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
        onReceiveMessage: (message) => listener.onReceiveMessage(message),
        onReceiveHalfClose: () => listener.onReceiveHalfClose(),
        onCancel: () => {
          this.#calls.delete(call);
          onCancel();
        },
      });
    };
    return call;
  };

  /** Ends them all; their clients ask another server. */
  end(): void {
    for (const call of this.#calls) {
      call.sendStatus({ code: status.UNAVAILABLE, details: 'the server is stopping' });
    }
  }
}
