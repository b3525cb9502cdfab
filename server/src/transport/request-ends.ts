/*
 * The end of every request, in one place: it is counted, its trace is closed, and the log says of it what is
 * due. An error is logged here and nowhere on its way.
 */
import type { OmenError } from '../core/errors.js';
import type { Clock } from '../ports/clock.js';
import type { LogFacts, Logger } from '../ports/logger.js';
import type { CallContext } from './call-context.js';
import { ErrorLog } from './error-log.js';
import { errorFor, messageOf } from './errors.js';
import type { OperationMeter } from './request-metrics.js';

/** A request as its transport knows it. */
export interface Asked {
  /** Name of the method, or what was asked for instead of one. */
  readonly method: string;
  readonly requestId: string;
  readonly meter: OperationMeter;
}

export class RequestEnds {
  readonly #errors: ErrorLog;

  constructor(private readonly deps: { readonly clock: Clock; readonly logger: Logger }) {
    this.#errors = new ErrorLog(deps.logger);
  }

  /** The answer is on its way. */
  succeeded(asked: Asked, context: CallContext, bytes: number): void {
    const { clock, logger } = this.deps;
    const nowMs = clock.monotonic();
    asked.meter.succeeded(context, nowMs);
    if (context.span !== undefined) {
      context.span.set('omendb.response.bytes', bytes);
      endSpan(context, nowMs, 'OK');
    }
    if (logger.verbose) {
      logger.debug('a request was answered', { ...factsOf(asked, nowMs, context), code: 'OK', bytes });
    }
  }

  /**
   * The request failed with anything thrown. Returns the error as the client gets it.
   *
   * @param context Absent when it failed before it had one.
   */
  failed(asked: Asked, thrown: unknown, context?: CallContext): OmenError {
    const nowMs = this.deps.clock.monotonic();
    const error = errorFor(thrown, asked.requestId);
    asked.meter.failed(error, context);
    const { row, reason } = error;
    if (context?.span !== undefined) {
      context.span.fail(reason, row.fault === 'server' ? messageOf(error) : undefined);
      endSpan(context, nowMs, row.grpc);
    }
    this.#errors.log(thrown, error, { ...factsOf(asked, nowMs, context), code: row.grpc }, nowMs);
    return error;
  }
}

function endSpan({ span, tenant, tier }: CallContext, nowMs: number, code: string): void {
  if (tenant !== '') span?.set('omendb.tenant', tenant);
  span?.set('omendb.tier', tier);
  span?.set('db.response.status_code', code);
  span?.end(nowMs);
}

function factsOf({ method, requestId, meter }: Asked, nowMs: number, context?: CallContext): LogFacts {
  const facts = { method, requestId, protocol: meter.protocol };
  if (context === undefined) return facts;
  const { span, tenant, startedMs } = context;
  return {
    ...facts,
    ...(span === undefined ? {} : { traceId: span.traceId }),
    ...(tenant === '' ? {} : { tenant }),
    ms: Math.round((nowMs - startedMs) * 100) / 100,
  };
}
