import type { RequestContext } from '../app/api.js';
import { OmenError } from '../core/errors.js';
import type { TenantId } from '../core/ids.js';
import type { Tier } from '../core/metrics/catalog.js';
import type { Span } from '../ports/tracer.js';
import type { Identity } from './auth/identity.js';

/** What public methods see: they read nothing of a tenant. */
const NOBODY = { tenant: '' as TenantId, subject: 'anonymous' } as const;

/**
 * The deadline of a client comes earlier than ours by the time that its request was under way, or waited for
 * the main thread: as much, or this share of the time that it allowed.
 */
const DEADLINE_SLACK_MS = 20;
const DEADLINE_SLACK_SHARE = 0.1;

/**
 * One request on its way through the server. The signal is made when somebody asks for it: most requests are
 * answered before anybody wants to know whether they are still wanted.
 */
export class CallContext implements RequestContext {
  tenant: TenantId = NOBODY.tenant;
  subject: string = NOBODY.subject;
  tier: Tier = 'hot';
  /** Of a request that is traced. */
  span: Span | undefined;
  #lapMs: number;
  #controller: AbortController | undefined;
  #reason: OmenError | undefined;
  #onEnd: ((reason: OmenError) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly requestId: string,
    readonly startedMs: number,
    readonly deadlineMs: number,
  ) {
    this.#lapMs = startedMs;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Sets who asks. */
  identify({ tenant, subject }: Identity): void {
    this.tenant = tenant;
    this.subject = subject;
  }

  /**
   * Something ended at `nowMs` that began where the one before ended, or the request; a part of the trace
   * unless it has no name.
   */
  lap(nowMs: number, name?: string): void {
    if (name !== undefined) this.span?.child(name, this.#lapMs, nowMs);
    this.#lapMs = nowMs;
  }

  /** Calls `onEnd` once, when the deadline passes or `cancel` is called before `finish`. */
  watch(onEnd: (reason: OmenError) => void): void {
    this.#onEnd = onEnd;
    this.#timer = setTimeout(() => {
      this.#expire();
    }, this.deadlineMs - this.startedMs);
  }

  /**
   * The client went away. Clients keep their deadlines by themselves, so one that goes at its deadline waited
   * in vain and did not change its mind.
   */
  cancel(nowMs: number): void {
    // Streams tell of their end after every answer: an error is made only when it is needed.
    if (this.#onEnd === undefined) return;
    const allowedMs = this.deadlineMs - this.startedMs;
    const slackMs = Math.max(DEADLINE_SLACK_MS, allowedMs * DEADLINE_SLACK_SHARE);
    if (nowMs >= this.deadlineMs - slackMs) this.#expire();
    else this.#end(new OmenError('CANCELLED', 'the client gave up'));
  }

  /** The answer is on its way: nothing can end the request early any more. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#onEnd = undefined;
  }

  #expire(): void {
    const allowedMs = Math.round(this.deadlineMs - this.startedMs);
    this.#end(new OmenError('DEADLINE_EXCEEDED', `the request was not answered within ${allowedMs} ms`));
  }

  #end(reason: OmenError): void {
    const onEnd = this.#onEnd;
    if (onEnd === undefined) return;
    this.finish();
    this.#reason = reason;
    this.#controller?.abort(reason);
    onEnd(reason);
  }
}
