/*
 * One call from its encoded request to its encoded answer: credentials, time budget, repetition, errors.
 *
 * A call is repeated only when that cannot do harm: it changes nothing, or the server recognises the
 * repetition by the request id that every write carries. All attempts share one time budget, and what is left
 * of it goes to the server with every attempt, so nobody works for a caller who has given up.
 */
import { abortedBy, errorFor, OmenError, timedOut, withAttempts } from '../errors.js';
import type { CallOptions, ClientLogger, Runtime } from '../options.js';
import type { MethodInfo, Transport } from '../transport/transport.js';
import type { Credentials } from './credentials.js';
import { mergeRetry, retryDelayMs } from './retry.js';
import type { RetryBudget, RetryPolicy } from './retry.js';

/** An encoded request. */
export interface Call {
  readonly method: MethodInfo;
  /** Path and query string of its HTTP route. */
  readonly target: string;
  /** The request as protobuf; read again by every attempt. */
  readonly body: Uint8Array;
  /** Identifies the call; for a write the same that `body` carries. */
  readonly requestId: string;
}

/** What a caller is made of. */
export interface CallerParts {
  readonly transport: Transport;
  readonly credentials: Credentials;
  readonly retry: RetryPolicy;
  readonly budget: RetryBudget;
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  readonly logger: ClientLogger | undefined;
}

const NO_OPTIONS: CallOptions = {};
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Sends calls and repeats them where it helps and is safe. */
export class Caller {
  readonly runtime: Runtime;
  readonly #parts: CallerParts;

  constructor(parts: CallerParts) {
    this.#parts = parts;
    this.runtime = parts.runtime;
  }

  /** The answer as protobuf. Rejects with `OmenError` only. */
  async call(call: Call, options: CallOptions = NO_OPTIONS): Promise<Uint8Array> {
    const { runtime, budget } = this.#parts;
    const timeoutMs = checkTimeout(options.timeoutMs ?? this.#parts.timeoutMs);
    const policy = mergeRetry(this.#parts.retry, options.retry);
    const deadlineMs = runtime.now() + timeoutMs;
    let renewed = false;
    for (let attempt = 1; ; attempt += 1) {
      let error: OmenError;
      try {
        const answer = await this.attempt(
          call,
          options,
          attempt === 1 ? timeoutMs : deadlineMs - runtime.now(),
        );
        budget.succeeded();
        return answer;
      } catch (thrown) {
        error = asOmenError(thrown);
      }
      if (!renewed && this.renewed(error)) {
        renewed = true;
        continue;
      }
      if (!this.#mayRepeat(call, error, attempt, policy)) throw withAttempts(error, attempt, call.requestId);
      const delayMs = retryDelayMs(policy, attempt, runtime.random(), error);
      if (runtime.now() + delayMs >= deadlineMs) throw withAttempts(error, attempt, call.requestId);
      this.#report(call, error, attempt, delayMs);
      await this.#wait(delayMs, options.signal, { attempt, requestId: call.requestId });
      // Waiting may end late on a busy machine.
      if (runtime.now() >= deadlineMs)
        throw withAttempts(timedOut(timeoutMs, error), attempt, call.requestId);
    }
  }

  /** Sends a call once, within `timeoutMs`. Rejects with `OmenError` only. */
  async attempt(call: Call, options: CallOptions, timeoutMs: number): Promise<Uint8Array> {
    if (options.signal?.aborted) throw abortedBy(options.signal);
    const { credentials, transport } = this.#parts;
    const supplied = credentials.authorization();
    const authorization = typeof supplied === 'object' ? await supplied : supplied;
    const { method, target, body, requestId } = call;
    const { headers, signal } = options;
    try {
      return await transport.send({
        method,
        target,
        body,
        authorization,
        requestId,
        headers,
        timeoutMs,
        signal,
      });
    } catch (thrown) {
      const error = asOmenError(thrown);
      if (error.reason === 'TOKEN_EXPIRED') credentials.expired(authorization);
      throw error;
    }
  }

  /** The call failed because its token has expired, and the next attempt will have another one. */
  renewed(error: OmenError): boolean {
    return error.reason === 'TOKEN_EXPIRED' && this.#parts.credentials.renewable;
  }

  #mayRepeat(call: Call, error: OmenError, attempt: number, policy: RetryPolicy): boolean {
    if (!error.retryable || attempt >= policy.attempts) return false;
    if (!call.method.readOnly && !call.method.idempotent) return false;
    return this.#parts.budget.take(this.#parts.runtime.now());
  }

  #report(call: Call, error: OmenError, attempt: number, delayMs: number): void {
    const { name } = call.method;
    const delay = Math.round(delayMs);
    this.#parts.logger?.warn('the call failed and is repeated', {
      ...{ method: name, attempt, delayMs: delay, reason: error.reason, requestId: call.requestId },
    });
  }

  async #wait(
    delayMs: number,
    signal: AbortSignal | undefined,
    call: { attempt: number; requestId: string },
  ): Promise<void> {
    try {
      await this.#parts.runtime.delay(delayMs, signal);
    } catch (thrown) {
      const error = signal?.aborted ? abortedBy(signal) : asOmenError(thrown);
      throw withAttempts(error, call.attempt, call.requestId);
    }
  }
}

/**
 * Anything thrown, as an `OmenError`: a transport that throws something else has a bug, and hiding it would
 * help nobody.
 */
export function asOmenError(thrown: unknown): OmenError {
  if (thrown instanceof OmenError) return thrown;
  const text = `the transport failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  return errorFor('INTERNAL', 'UNKNOWN', text, { cause: thrown });
}

function checkTimeout(timeoutMs: number): number {
  if (timeoutMs > 0 && timeoutMs <= TIMEOUT_MS_MAX) return timeoutMs;
  throw new RangeError(`timeoutMs is ${timeoutMs}, must be above 0 and at most ${TIMEOUT_MS_MAX}`);
}
