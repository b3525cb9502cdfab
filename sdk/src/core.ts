/* What a client and the handles made from it share. */
import type { Caller } from './call/caller.js';
import { invoke } from './call/invoke.js';
import type { RequestOf, ResponseOf } from './call/invoke.js';
import type { Sessions } from './call/sessions.js';
import type { MethodName } from './gen/methods.js';
import type { GetLimitsResponse } from './gen/messages.js';
import type { CallOptions, Runtime } from './options.js';

/** The server's limits; names end in their unit. */
export type Limits = Readonly<GetLimitsResponse>;

/** The inside of an open client. */
export class ClientCore {
  readonly caller: Caller;
  readonly sessions: Sessions;
  readonly runtime: Runtime;
  #limits: Promise<Limits> | undefined;

  constructor(caller: Caller, sessions: Sessions) {
    this.caller = caller;
    this.sessions = sessions;
    this.runtime = caller.runtime;
  }

  /** The id of a call: the caller's or a new one. */
  requestIdOf(options: CallOptions | undefined): string {
    return options?.requestId ?? this.runtime.uniqueId();
  }

  /** Sends a message and reads the answer. */
  invoke<N extends MethodName>(
    name: N,
    request: RequestOf<N>,
    requestId: string,
    options: CallOptions | undefined,
  ): Promise<ResponseOf<N>> {
    return invoke(this.caller, name, request, requestId, options);
  }

  /** The server's limits, asked for once and kept; a failure is not kept. */
  limits(options: CallOptions | undefined): Promise<Limits> {
    this.#limits ??= this.invoke('getLimits', {}, this.requestIdOf(options), options).catch(
      (error: unknown) => {
        this.#limits = undefined;
        throw error;
      },
    );
    return this.#limits;
  }
}
