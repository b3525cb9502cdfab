/*
 * Takes one batch to the server, whatever happens on the way, and answers for every record of it.
 *
 * The server writes a request whole or not at all and remembers its request id. So a request whose answer was
 * lost is sent again under the same id and is never written twice; a request that was refused as too large or
 * for a record in it has written nothing and is taken apart, each part under an id of its own.
 */
import type { Call, Caller } from '../call/caller.js';
import { asOmenError } from '../call/caller.js';
import { decodeAnswer } from '../call/invoke.js';
import { retryDelayMs } from '../call/retry.js';
import type { RetryPolicy } from '../call/retry.js';
import { errorFor } from '../errors.js';
import type { OmenError } from '../errors.js';
import { METHODS } from '../gen/methods.js';
import type { CallOptions } from '../options.js';
import type { RecordRange } from '../values/record-block.js';
import { recordIndexOf } from '../wire/block-paths.js';
import type { Batch } from './batch.js';

/** What delivering needs and whom it tells. */
export interface DeliveryContext {
  readonly caller: Caller;
  readonly collection: string;
  readonly retryForMs: number;
  readonly attemptTimeoutMs: number;
  /** Signal and headers of the load. */
  readonly options: CallOptions;
  acknowledged(
    answer: ReturnType<typeof decodeAnswer<'upsertRecords'>>,
    records: number,
    bytes: number,
  ): void;
  refused(batch: Batch, position: number, error: OmenError): void;
  /** The server asks for less, or is away. */
  pressed(): void;
  /** The server takes no request of this size. */
  tooLarge(bytes: number, records: number): void;
  retried(): void;
}

/** A part of a batch: the positions of its records. */
type Part = readonly RecordRange[];

/** The waits while a server is away: a load has time, and the server will need a moment. */
const BULK_RETRY: RetryPolicy = { attempts: Infinity, initialDelayMs: 50, maxDelayMs: 3_000 };

/** Reasons of INVALID_ARGUMENT that are about the request as a whole: taking it apart would not help. */
const ABOUT_THE_REQUEST: ReadonlySet<string> = new Set([
  // Every vector of a block has the same length, so a wrong one is wrong for all: the collection was made
  // anew.
  'DIMENSION_MISMATCH',
  'INVALID_COLLECTION_NAME',
  'MALFORMED_BODY',
  'REQUEST_ID_REUSED',
  'UNSUPPORTED_MEDIA_TYPE',
]);
const TOO_LARGE: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'BATCH_TOO_LARGE']);

/**
 * Resolves when every record of the batch is written or refused. Rejects with `OmenError` when the load must
 * end.
 */
export async function deliver(batch: Batch, context: DeliveryContext): Promise<void> {
  const parts: Part[] = [[{ from: 0, to: batch.count }]];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (countOf(part) > 0) parts.push(...(await deliverPart(batch, part, context)));
  }
}

/** Sends a part; the parts it returns are still to be sent. */
async function deliverPart(batch: Batch, part: Part, context: DeliveryContext): Promise<Part[]> {
  const requestId = context.caller.runtime.uniqueId();
  const method = METHODS.upsertRecords;
  const body = batch.encode(context.collection, requestId, part);
  const target = method.toPath({ collection: context.collection, records: [], requestId });
  try {
    const answer = await sendUntilAnswered({ method, target, body, requestId }, context);
    context.acknowledged(decodeAnswer('upsertRecords', answer, requestId), countOf(part), body.byteLength);
    return [];
  } catch (thrown) {
    const error = asOmenError(thrown);
    if (TOO_LARGE.has(error.reason)) {
      context.tooLarge(body.byteLength, countOf(part));
      return takeApart(batch, part, error, context);
    }
    if (error.code !== 'INVALID_ARGUMENT' || ABOUT_THE_REQUEST.has(error.reason)) throw error;
    return withoutBadRecords(batch, part, error, context);
  }
}

/**
 * Repeats a request under its id until the server answers it with success or with a refusal that repeating
 * cannot change.
 */
async function sendUntilAnswered(call: Call, context: DeliveryContext): Promise<Uint8Array> {
  const { caller, options } = context;
  const { runtime } = caller;
  let firstFailureMs: number | undefined;
  let renewed = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await caller.attempt(call, options, context.attemptTimeoutMs);
    } catch (thrown) {
      const error = asOmenError(thrown);
      if (options.signal?.aborted) throw error;
      if (!renewed && caller.renewed(error)) {
        renewed = true;
        continue;
      }
      if (!error.retryable) throw error;
      context.pressed();
      const nowMs = runtime.now();
      firstFailureMs ??= nowMs;
      const delayMs = retryDelayMs(BULK_RETRY, Math.min(attempt, 20), runtime.random(), error);
      if (nowMs + delayMs - firstFailureMs > context.retryForMs) throw gaveUp(error, context, attempt);
      context.retried();
      await runtime.delay(delayMs, options.signal);
      renewed = false;
    }
  }
}

function gaveUp(error: OmenError, context: DeliveryContext, attempts: number): OmenError {
  const text = `a batch was tried ${attempts} times in ${context.retryForMs} ms; at last: ${error.message}`;
  return errorFor(error.code, error.reason, text, { retryable: true, attempts, cause: error });
}

function takeApart(batch: Batch, part: Part, error: OmenError, context: DeliveryContext): Part[] {
  const count = countOf(part);
  if (count === 1) {
    context.refused(batch, positionOf(part, 0), error);
    return [];
  }
  const half = Math.ceil(count / 2);
  return [sliceOf(part, 0, half), sliceOf(part, half, count)];
}

function withoutBadRecords(batch: Batch, part: Part, error: OmenError, context: DeliveryContext): Part[] {
  const count = countOf(part);
  const paths = error.fieldViolations.map(({ field }) => field);
  const bad = [...new Set(paths.map(recordIndexOf))].filter((index) => index !== undefined && index < count);
  if (bad.length === 0) {
    // A path that leads to no record is about the request as a whole.
    if (paths.length > 0 && count > 1) throw error;
    return takeApart(batch, part, error, context);
  }
  const rest: RecordRange[] = [];
  let next = 0;
  for (const index of (bad as number[]).sort((a, b) => a - b)) {
    const violation = error.fieldViolations.find(({ field }) => recordIndexOf(field) === index);
    context.refused(
      batch,
      positionOf(part, index),
      violation === undefined ? error : describing(error, violation),
    );
    rest.push(...sliceOf(part, next, index));
    next = index + 1;
  }
  rest.push(...sliceOf(part, next, count));
  return [rest];
}

function describing(
  error: OmenError,
  violation: { readonly field: string; readonly description: string },
): OmenError {
  const { reason } = violation as { readonly reason?: string };
  return errorFor(error.code, reason ?? error.reason, `${violation.field}: ${violation.description}`);
}

function countOf(part: Part): number {
  return part.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Position in the batch of the record at `index` of the part. */
function positionOf(part: Part, index: number): number {
  let before = 0;
  for (const { from, to } of part) {
    if (index < before + to - from) return from + index - before;
    before += to - from;
  }
  return -1;
}

/** The records of a part from `start` (included) to `end` (excluded). */
function sliceOf(part: Part, start: number, end: number): RecordRange[] {
  const slice: RecordRange[] = [];
  let before = 0;
  for (const { from, to } of part) {
    const low = Math.max(start, before) - before + from;
    const high = Math.min(end, before + to - from) - before + from;
    if (low < high) slice.push({ from: low, to: high });
    before += to - from;
  }
  return slice;
}
