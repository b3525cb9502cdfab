/*
 * Puts waiting requests together into the next slot of the log.
 */
import type { SlotRequest, WalWrites } from '../../core/log/wal-slot.js';
import { sizeOfWrites } from '../../core/log/wal-slot.js';
import type { Span } from '../../ports/tracer.js';
import { perhapsWritten } from './commit-errors.js';

/** What a request adds to the log. */
export interface PreparedWrites {
  /** May be empty: then nothing is logged, unless there is a request to remember. */
  readonly writes: WalWrites;
  /** To be remembered, so that a repetition gets the first answer. */
  readonly request?: { readonly requestId: string; readonly answer: Uint8Array };
}

/** Where a request's writes stand in the log. */
export interface Acknowledged {
  readonly slot: number;
  readonly firstSequence: number;
  /** Number of writes. */
  readonly count: number;
  /** Of its last write; of the write before it when it has none. */
  readonly lastSequence: number;
}

/** A request that waits for its slot. */
export interface Waiting {
  readonly prepare: () => PreparedWrites;
  readonly resolve: (acknowledged: Acknowledged) => void;
  readonly reject: (error: unknown) => void;
  /** May be prepared again although it may have been committed. */
  readonly repeatable: boolean;
  /** An earlier slot with it may have been written: no later failure may say that nothing was. */
  uncertain: boolean;
  /** `Clock.monotonic()` when the request came. */
  readonly sinceMs: number;
  /** Of a request that is traced. */
  readonly span: Span | undefined;
  /** Answered already, because its caller gave up. */
  settled: boolean;
}

/** A request in a slot. */
export interface Seated {
  readonly waiting: Waiting;
  readonly firstWrite: number;
  readonly count: number;
}

export interface Assembly {
  readonly seated: readonly Seated[];
  readonly parts: readonly WalWrites[];
  readonly requests: readonly SlotRequest[];
}

export interface SlotBounds {
  /** Bytes after which no further request joins; a single larger request still has a slot of its own. */
  readonly bytes: number;
  /** Writes, likewise. */
  readonly writes: number;
}

/**
 * Takes requests from the front of `queue` until the slot is full. All are prepared in this one turn, in
 * order, against the state of the slot before. Ends early behind a request that failed to prepare or did not
 * fit: what it planned must not be seen by others.
 */
export function assembleSlot(queue: Waiting[], bounds: SlotBounds, nowMs: number): Assembly {
  const seated: Seated[] = [];
  const parts: WalWrites[] = [];
  const requests: SlotRequest[] = [];
  let bytes = 0;
  let writes = 0;
  for (let waiting = queue[0]; waiting !== undefined; waiting = queue[0]) {
    if (waiting.settled) {
      queue.shift();
      continue;
    }
    const prepared = tryPrepare(waiting);
    if (prepared === null) {
      queue.shift();
      break;
    }
    const count = prepared.writes.ops.length;
    const size = sizeOfWrites(prepared.writes);
    const full = bytes + size > bounds.bytes || writes + count > bounds.writes;
    if (full && seated.length > 0) break;
    queue.shift();
    seated.push({ waiting, firstWrite: writes, count });
    parts.push(prepared.writes);
    if (prepared.request !== undefined) {
      requests.push({ ...prepared.request, firstWrite: writes, count, timeMs: nowMs });
    }
    bytes += size;
    writes += count;
    if (full) break;
  }
  return { seated, parts, requests };
}

/** Null when it threw: that request has its answer. */
function tryPrepare(waiting: Waiting): PreparedWrites | null {
  try {
    return waiting.prepare();
  } catch (error) {
    waiting.reject(error);
    return null;
  }
}

export interface WaitingRequest {
  readonly prepare: () => PreparedWrites;
  readonly resolve: (acknowledged: Acknowledged) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly repeatable: boolean;
  /** `Clock.monotonic()` now. */
  readonly sinceMs: number;
  readonly span: Span | undefined;
}

/** A waiting request that is answered once: by its slot, or by its signal. */
export function waitingRequest(request: WaitingRequest): Waiting {
  const { prepare, resolve, reject, signal, repeatable, sinceMs, span } = request;
  const abort = (): void => waiting.reject(signal?.reason);
  const end = (): void => {
    waiting.settled = true;
    signal?.removeEventListener('abort', abort);
  };
  const waiting: Waiting = {
    prepare,
    repeatable,
    sinceMs,
    span,
    resolve: (acknowledged) => {
      end();
      resolve(acknowledged);
    },
    reject: (error) => {
      end();
      reject(waiting.uncertain ? perhapsWritten(error) : error);
    },
    uncertain: false,
    settled: false,
  };
  signal?.addEventListener('abort', abort, { once: true });
  return waiting;
}
