/*
 * What the transports have in common: admission, credentials, and the way from a decoded request to the use
 * case and back. A transport only moves bytes.
 */
import type { Handlers } from '../app/api.js';
import { OmenError } from '../core/errors.js';
import type { MethodName, MethodTypes, ServerMethod } from '../gen/methods.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { Rng } from '../ports/rng.js';
import type { Span, Tracer } from '../ports/tracer.js';
import type { Authenticator } from './auth/authenticator.js';
import { requireCollection, requireScope } from './auth/authorize.js';
import type { Identity } from './auth/identity.js';
import { CallContext } from './call-context.js';
import { HeldBytes } from './held-bytes.js';
import { LargeAnswers, asksForMany, isLarge } from './large-answers.js';
import { RequestEnds } from './request-ends.js';
import type { Asked } from './request-ends.js';
import type { OperationMeter } from './request-metrics.js';
import { RequestMetrics, recordsIn } from './request-metrics.js';
import type { Binding, ServerFacts } from './wire/bindings.js';
import { BINDINGS } from './wire/bindings.js';

const OVERLOAD_RETRY_MS = 100;
/** Eight of the largest answers in JSON. */
const HELD_BYTES_MAX = 256 * 1024 * 1024;
const REQUEST_ID = /^[!-~]{1,128}$/;

export interface EdgeDependencies {
  readonly handlers: Handlers;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly version: string;
  readonly facts: ServerFacts;
  /** Requests in work at once, over all transports. Looked at anew for each request. */
  readonly maxInFlight: number;
  /** Longest time for one request. */
  readonly requestTimeoutMs: number;
  /** Bytes of bodies and answers under way at once; the default suits a server of 1 GiB and more. */
  readonly heldBytesMax?: number;
  /** Count the requests of every tenant apart; not unless said. */
  readonly countTenants?: boolean;
}

/** One method, ready to be called by a transport. */
export type Call<N extends MethodName> = (
  context: CallContext,
  identity: Identity | null,
  request: MethodTypes[N]['request'],
) => Promise<MethodTypes[N]['response']>;

/** The door of the server, shared by all transports. */
export class Edge {
  /** True from the moment the server was asked to stop. */
  draining = false;
  #inFlight = 0;
  #closed = false;
  #onIdle: (() => void) | undefined;
  #requests = 0;
  readonly held: HeldBytes;
  readonly large = new LargeAnswers();
  readonly requests: RequestMetrics;
  readonly ends: RequestEnds;
  readonly #requestIdPrefix: string;

  constructor(readonly deps: EdgeDependencies) {
    this.held = new HeldBytes(deps.heldBytesMax ?? HELD_BYTES_MAX);
    const { metrics, countTenants = false } = deps;
    this.requests = new RequestMetrics({
      metrics,
      maxInFlight: () => deps.maxInFlight,
      tenants: countTenants,
    });
    this.ends = new RequestEnds(deps);
    this.#requestIdPrefix = Buffer.from(deps.rng.bytes(6)).toString('hex');
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Lets a request in; throws `OVERLOADED` or `DRAINING`. Every success needs one `leave`, when the work is
   * over, which may be after the answer.
   */
  enter(meter: OperationMeter): void {
    if (this.#closed) {
      throw new OmenError('DRAINING', 'the server is stopping: ask another one', {
        retryAfterMs: OVERLOAD_RETRY_MS,
      });
    }
    if (this.#inFlight >= this.deps.maxInFlight) {
      throw new OmenError(
        'OVERLOADED',
        `the server has ${this.#inFlight} requests in work, as many as it may have`,
        {
          retryAfterMs: OVERLOAD_RETRY_MS,
        },
      );
    }
    this.#inFlight++;
    meter.entered();
  }

  leave(meter: OperationMeter): void {
    this.#inFlight--;
    meter.left();
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  /**
   * A context for a request that arrived now. `timeoutMs` is what the client allows, undefined if it does not
   * say.
   */
  open(givenId: string | undefined, timeoutMs: number | undefined): CallContext {
    const now = this.deps.clock.monotonic();
    const allowed = Math.min(timeoutMs ?? Infinity, this.deps.requestTimeoutMs);
    return new CallContext(this.requestId(givenId), now, now + allowed);
  }

  /** Requests may have a trace. */
  get traces(): boolean {
    return this.deps.tracer.samples;
  }

  /** Begins the trace of a request, if it is to have one. `header` gives the text of a header. */
  trace(
    context: CallContext,
    { meter, requestId }: Asked,
    header: (name: string) => string | undefined,
  ): void {
    const { tracer } = this.deps;
    const parent = { traceparent: header('traceparent'), tracestate: header('tracestate') };
    const span = tracer.start(`omendb.${meter.operation}`, context.startedMs, parent);
    if (span === undefined) return;
    span.set('db.system.name', 'omendb');
    span.set('db.operation.name', meter.operation);
    span.set('omendb.protocol', meter.protocol);
    span.set('omendb.request_id', requestId);
    context.span = span;
  }

  /** A part of the request has ended; without a name, one that tells of itself. */
  lap(context: CallContext, name?: string): void {
    if (context.span !== undefined) context.lap(this.deps.clock.monotonic(), name);
  }

  /** The client's own id if it may stand in a log, else a new one. */
  requestId(given: string | undefined): string {
    if (given !== undefined && REQUEST_ID.test(given)) return given;
    return `${this.#requestIdPrefix}-${(this.#requests++).toString(36)}`;
  }

  /** Who calls: null for a public method. Throws or rejects when the credential does not allow the method. */
  identify(
    method: Pick<ServerMethod<never, never>, 'public' | 'scope'>,
    header: string | undefined,
  ): Identity | null | Promise<Identity> {
    if (method.public) return null;
    const identity = this.deps.authenticator.authenticate(header);
    if (identity instanceof Promise) return identity.then((found) => allow(found, method.scope));
    return allow(identity, method.scope);
  }

  /** Validation, the collections of the credential, then the use case. */
  bind<N extends MethodName>(
    name: N,
    method: ServerMethod<MethodTypes[N]['request'], MethodTypes[N]['response']>,
    meter: OperationMeter,
  ): Call<N> {
    const binding: Binding<N> = BINDINGS[name];
    const { handlers, facts } = this.deps;
    return (context, identity, request) => {
      if (identity !== null) context.identify(identity);
      if (context.span !== undefined) describe(context.span, request);
      method.validate(request);
      meter.batch(request);
      if (identity !== null) {
        if (identity.collections !== null && method.collectionsOf !== undefined) {
          for (const collection of method.collectionsOf(request)) requireCollection(identity, collection);
        }
      }
      return binding({ handlers, context, identity, facts }, request);
    };
  }

  /**
   * Makes and encodes an answer, waiting for a place when the request is for many rows. Undefined when `over`
   * says that nobody wants it any more. Throws `OVERLOADED` when answers under way leave no room for more.
   */
  async produce<A extends object, T>(
    context: CallContext,
    request: object,
    steps: { readonly answer: () => Promise<A>; readonly encode: (answer: A) => T },
    over: () => boolean,
  ): Promise<T | undefined> {
    const many = asksForMany(request);
    if (many) {
      await this.large.enter();
      this.lap(context, 'turn');
    }
    try {
      if (over()) return undefined;
      if (many) this.held.requireRoom();
      const answer = await steps.answer();
      this.lap(context);
      if (isLarge(answer)) await this.large.turn();
      if (over()) return undefined;
      const encoded = steps.encode(answer);
      this.lap(context, 'serialize');
      return encoded;
    } finally {
      if (many) this.large.leave();
    }
  }

  /** Resolves when nothing is in work; new requests are still let in. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Lets nobody in any more. */
  close(): void {
    this.draining = true;
    this.#closed = true;
  }
}

/** What a request is about. */
function describe(span: Span, request: object): void {
  const { collection, name } = request as { readonly collection?: string; readonly name?: string };
  const subject = collection ?? name;
  if (subject !== undefined) span.set('db.collection.name', subject);
  const records = recordsIn(request);
  if (records > 0) span.set('db.operation.batch.size', records);
}

function allow(identity: Identity, scope: string): Identity {
  requireScope(identity, scope);
  return identity;
}
