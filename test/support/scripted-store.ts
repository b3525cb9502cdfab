// A collection that lives in a map and takes what a bulk load sends, as a real server would: a batch whole or
// not at all, and a repeated request id gets its first answer. Faults are put before or after it by a test.
import { METHODS } from '#sdk/gen/methods.js';
import type { UpsertRecordsRequest } from '#sdk/gen/messages.js';
import { answer } from './scripted-server.js';
import type { Reaction, ReceivedCall, Script } from './scripted-server.js';

/** What the server says of itself. */
export interface StoreLimits {
  readonly batchRecordsMax: number;
  readonly protobufBodyBytesMax: number;
}

/** A collection with the values of an attribute `n` by id. */
export class ScriptedStore {
  /** Value of the attribute `n` by id, as the last write left it. */
  readonly records = new Map<string, bigint>();
  /** Records written, a record that was written twice counted twice. */
  writes = 0;
  readonly #answers = new Map<string, Reaction>();
  #sequence = 0n;

  constructor(
    readonly dimensions: number,
    readonly limits: StoreLimits = { batchRecordsMax: 10_000, protobufBodyBytesMax: 64 * 1024 * 1024 },
  ) {}

  /** Reacts to everything but upserts, and to upserts by `upsert`. */
  script(upsert: (call: ReceivedCall, index: number) => Reaction | Promise<Reaction>): Script {
    let upserts = 0;
    return (call) => {
      if (call.method === 'getCollection') {
        const collection = { name: 'c', dimensions: this.dimensions, metric: 1 } as const;
        return answer('getCollection', { collection });
      }
      if (call.method === 'getLimits') {
        const none = METHODS.getLimits.response.decode(new Uint8Array(0));
        return answer('getLimits', { ...none, ...this.limits });
      }
      upserts += 1;
      return upsert(call, upserts - 1);
    };
  }

  /** Writes a request, once. */
  write(call: ReceivedCall): Reaction {
    const { block, requestId } = call.message as unknown as UpsertRecordsRequest;
    const known = this.#answers.get(requestId);
    if (known !== undefined) return known;
    let inserted = 0;
    block?.ids.forEach((id, i) => {
      if (!this.records.has(id)) inserted += 1;
      const value = block.attributes[i]?.values.get('n')?.kind;
      this.records.set(id, value?.$case === 'intValue' ? value.value : -1n);
      this.writes += 1;
    });
    this.#sequence += 1n;
    const updated = (block?.ids.length ?? 0) - inserted;
    const reaction = answer('upsertRecords', {
      inserted,
      updated,
      sequenceNumber: this.#sequence,
      sessionToken: 't',
    });
    this.#answers.set(requestId, reaction);
    return reaction;
  }
}

/** The ids of an upsert. */
export function idsOf(call: ReceivedCall): readonly string[] {
  return (call.message as unknown as UpsertRecordsRequest).block?.ids ?? [];
}
