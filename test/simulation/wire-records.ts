/* Between the model's records and what the server stores and sends. */
import type { DecodedSlot } from '#server/core/log/wal-slot.js';
import { decodeWalSlot, OP_DELETE } from '#server/core/log/wal-slot.js';
import { decodeAttributes } from '#server/core/record/attribute-codec.js';
import type { Attributes, AttributeValue } from '#server/core/record/record.js';
import type { LoggedSlot, LoggedWrite } from './linearizability.js';
import type { Effect, ModelRecord } from './model.js';

export function attributesOf({ color, rank, stamp }: Omit<ModelRecord, 'vector'>): Attributes {
  return new Map<string, AttributeValue>([
    ['color', color],
    ['rank', BigInt(rank)],
    ['stamp', stamp],
  ]);
}

/** The record of a stored row. */
export function recordOf(vector: Float32Array, attributes: Uint8Array): ModelRecord {
  return recordFrom(vector, decodeAttributes(attributes));
}

export function recordFrom(vector: Iterable<number>, attributes: Attributes): ModelRecord {
  return {
    vector: [...vector],
    color: String(attributes.get('color')),
    rank: Number(attributes.get('rank')),
    stamp: String(attributes.get('stamp')),
  };
}

interface SlotContents {
  readonly decoded: DecodedSlot;
  readonly logged: LoggedSlot;
  readonly requests: readonly { readonly requestId: string; readonly sequence: number }[];
}

/**
 * The writes of a slot: those of requests, and between them those of nobody the log names, by their stamp.
 */
export function decodeLoggedSlot(body: Uint8Array): SlotContents {
  const decoded = decodeWalSlot(body, 'a slot');
  const effects = effectsOf(decoded);
  const writes: LoggedWrite[] = [];
  const unnamed = (from: number, to: number): void => {
    for (let at = from; at < to;) {
      const stamp = effects[at]?.record?.stamp;
      let end = at + 1;
      while (end < to && effects[end]?.record?.stamp === stamp) end++;
      writes.push({ requestId: null, effects: effects.slice(at, end) });
      at = end;
    }
  };
  let next = 0;
  for (const { requestId, firstWrite, count } of decoded.requests) {
    unnamed(next, firstWrite);
    next = firstWrite + count;
    writes.push({ requestId, effects: effects.slice(firstWrite, next) });
  }
  unnamed(next, effects.length);
  return {
    decoded,
    logged: {
      ...{ slot: decoded.slot, firstSequence: decoded.firstSequence, timeMs: decoded.createdMs, writes },
    },
    requests: decoded.requests.map(({ requestId, firstWrite, count }) => ({
      requestId,
      sequence: decoded.firstSequence + firstWrite + count - 1,
    })),
  };
}

function effectsOf({ writes, dimensions }: DecodedSlot): Effect[] {
  let put = 0;
  return writes.ids.map((id, index): Effect => {
    if (writes.ops[index] === OP_DELETE) return { id, record: null };
    const vector = writes.vectors.subarray(put * dimensions, (put + 1) * dimensions);
    return { id, record: recordOf(vector, writes.attributes[put++] ?? new Uint8Array()) };
  });
}
