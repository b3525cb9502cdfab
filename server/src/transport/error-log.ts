/*
 * What the log says about failed requests. The less is wrong with the server, the less it says: mistakes of
 * clients only at debug level, and shed load once a second, or an overload would become one of the log too.
 */
import type { ErrorReason, OmenError } from '../core/errors.js';
import { OmenError as Known } from '../core/errors.js';
import { LineLimit } from '../core/line-limit.js';
import type { LogFacts, Logger } from '../ports/logger.js';

const SHED_PERIOD_MS = 1000;

/** The server did as it should: there is nothing to look for in a stack. */
const SHED: ReadonlySet<ErrorReason> = new Set([
  'DRAINING',
  'MEMORY_EXHAUSTED',
  'OVERLOADED',
  'WRITE_BACKPRESSURE',
]);

export class ErrorLog {
  readonly #shed = new LineLimit(SHED_PERIOD_MS);

  constructor(private readonly logger: Logger) {}

  /**
   * Says that a request failed.
   *
   * @param error What the client gets for what was thrown.
   */
  log(thrown: unknown, error: OmenError, facts: LogFacts, nowMs: number): void {
    const { logger } = this;
    const { reason, row } = error;
    if (reason === 'INTERNAL') {
      const cause = thrown instanceof Known && thrown.cause !== undefined ? thrown.cause : thrown;
      logger.error('a request failed because of a mistake in the server', { ...facts, error: cause });
    } else if (row.fault === 'client') {
      // What was wrong with the request may quote it, so its text is for the client alone.
      if (logger.verbose) logger.debug('a request was refused', { ...facts, reason, ...fieldOf(error) });
    } else if (SHED.has(reason)) this.#logShed(error, facts, nowMs);
    else if (reason === 'DEADLINE_EXCEEDED') {
      logger.warn('a request failed', { ...facts, reason, why: error.message });
    } else if (row.retry === 'never') logger.error('a request failed', { ...facts, reason, error: thrown });
    else logger.warn('a request failed', { ...facts, reason, error: thrown });
  }

  #logShed({ reason, message }: OmenError, facts: LogFacts, nowMs: number): void {
    const suppressed = this.#shed.admit(reason, nowMs);
    if (suppressed === undefined) return;
    const more = suppressed === 0 ? {} : { suppressed };
    this.logger.warn('a request was turned away', { ...facts, reason, why: message, ...more });
  }
}

function fieldOf({ violations }: OmenError): { readonly field?: string } {
  const [first] = violations;
  return first === undefined ? {} : { field: first.field };
}
