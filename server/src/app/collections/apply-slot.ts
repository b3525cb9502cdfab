/*
 * From the log into memory: the writes of a slot in order, and the answers it remembers. Runs once per slot,
 * for own slots as for replayed ones.
 */
import type { AppliedWrite, CollectionState } from '../../core/collection/state.js';
import type { DecodedSlot } from '../../core/log/wal-slot.js';
import { OP_PUT } from '../../core/log/wal-slot.js';
import { decodeAnswer } from './answer-codec.js';
import type { RequestWindow } from './request-window.js';

export function applySlot(state: CollectionState, window: RequestWindow, slot: DecodedSlot): void {
  const { ops, ids, vectors, attributes } = slot.writes;
  const putIds = ops.every((op) => op === OP_PUT) ? ids : ids.filter((_, index) => ops[index] === OP_PUT);
  state.apply(inOrder(ops, ids), { ids: putIds, vectors, attributes }, slot.firstSequence);
  for (const request of slot.requests) {
    window.add({
      ...decodeAnswer(request.answer),
      requestId: request.requestId,
      slot: slot.slot,
      sequence: slot.firstSequence + request.firstWrite + request.count - 1,
      timeMs: request.timeMs,
    });
  }
}

function* inOrder(ops: Uint8Array, ids: readonly string[]): Generator<AppliedWrite> {
  let put = 0;
  for (let index = 0; index < ops.length; index++) {
    if (ops[index] === OP_PUT) yield { kind: 'put', put: put++ };
    else yield { kind: 'delete', id: ids[index] ?? '' };
  }
}
