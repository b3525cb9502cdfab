import { expect } from 'chai';
import type { Caller } from '#sdk/call/caller.js';
import { invoke } from '#sdk/call/invoke.js';
import { METHODS } from '#sdk/gen/methods.js';
import { OmenClient } from '#sdk/index.js';
import type { Collection } from '#sdk/index.js';
import { answer, refuse, startScriptedServer } from '../../support/scripted-server.js';
import type { ReceivedCall, Script, ScriptedServer } from '../../support/scripted-server.js';

/** Answers every method with the state that `sequenceOf` gives; its token is `s.` and the number. */
function stateful(sequenceOf: (call: ReceivedCall, index: number) => number): Script {
  return (call, index) => {
    const sequence = sequenceOf(call, index);
    const state = { sequenceNumber: BigInt(sequence), sessionToken: `s.${sequence}` };
    switch (call.method) {
      case 'upsertRecords':
        return answer('upsertRecords', { inserted: 1, updated: 0, ...state });
      case 'query':
        return answer('query', { hits: [], ...state });
      case 'batchGetRecords':
        return answer('batchGetRecords', { records: [], missingIds: [], ...state });
      case 'scanRecords':
        return answer('scanRecords', { records: [], nextPageToken: index === 0 ? 'more' : '', ...state });
      default:
        return answer('countRecords', { count: 0n, ...state });
    }
  };
}

describe('A session of the client', () => {
  let server: ScriptedServer;
  let db: OmenClient;
  let words: Collection;

  async function start(script: Script): Promise<readonly ReceivedCall[]> {
    server = await startScriptedServer(script);
    db = new OmenClient({ endpoint: server.url, token: 'secret' });
    words = db.collection('words');
    return server.calls;
  }

  afterEach(async () => {
    await db.close({ graceMs: 0 });
    await server.close();
  });

  const tokens = (): unknown[] => server.calls.map(({ message }) => message['sessionToken']);

  it('follows every answer, to a write or a read', async () => {
    await start(stateful((_call, index) => index + 1));
    await words.count();
    await words.query({ vector: [1] });
    await words.upsert([{ id: 'a', vector: [1] }]);
    await words.get('a');
    await words.count({ consistency: 'session' });
    expect(tokens()).to.deep.equal(['', 's.1', undefined, 's.3', 's.4']);
  });

  it('does not go back when a server answers from an older state', async () => {
    await start(stateful((_call, index) => [9, 4, 9][index] ?? 0));
    const { sequenceNumber, sessionToken } = await words.query({ vector: [1] });
    expect([sequenceNumber, sessionToken]).to.deep.equal([9, 's.9']);
    expect((await words.query({ vector: [1] })).sequenceNumber).to.equal(4);
    await words.count();
    expect(tokens()).to.deep.equal(['', 's.9', 's.9']);
  });

  it('is one per collection', async () => {
    await start(stateful(({ message }) => (message['collection'] === 'words' ? 5 : 8)));
    const others = db.collection('others');
    for (const collection of [words, others, words, others]) await collection.count();
    expect(tokens()).to.deep.equal(['', '', 's.5', 's.8']);
  });

  it('goes on from page to page of a scan', async () => {
    await start(stateful((_call, index) => index + 1));
    await words.scan().toArray();
    expect(tokens()).to.deep.equal(['', 's.1']);
  });

  it('sends no token with strong, eventual and past reads', async () => {
    await start(stateful((_call, index) => index + 1));
    await words.count();
    await words.count({ consistency: 'strong' });
    await words.count({ consistency: 'eventual' });
    await words.count({ asOf: new Date() });
    await words.count({ snapshot: 'nightly' });
    await words.count({ asOfSequenceNumber: 0 });
    await words.count();
    // What the two fresh reads saw counts, and what the past was does not.
    expect(tokens()).to.deep.equal(['', '', '', '', '', '', 's.3']);
  });

  it('prefers the token of the caller', async () => {
    await start(stateful((_call, index) => index + 1));
    await words.count();
    await words.count({ sessionToken: 'mine' });
    expect(tokens()).to.deep.equal(['', 'mine']);
  });

  it('begins anew, for reads side by side too, when somebody made the collection anew', async () => {
    const old = { sequenceNumber: 70n, sessionToken: 'old.70' };
    const fresh = answer('countRecords', { count: 0n, sequenceNumber: 2n, sessionToken: 'new.2' });
    const fields = [{ field: 'sessionToken', description: 'belongs to another collection' }];
    const calls = await start(({ message }, index) => {
      if (index === 0) return answer('countRecords', { count: 9n, ...old });
      if (message['sessionToken'] !== 'old.70') return fresh;
      return refuse(400, 'FAILED_PRECONDITION', 'CONDITION_FAILED', { fields });
    });
    expect(await words.count()).to.equal(9);
    expect(await Promise.all([words.count(), words.count(), words.count()])).to.deep.equal([0, 0, 0]);
    await words.count();
    expect(calls.at(-1)?.message['sessionToken']).to.equal('new.2');
    const error = await words.count({ sessionToken: 'old.70' }).catch((caught: unknown) => caught);
    expect(error).to.include({ reason: 'CONDITION_FAILED' });
  });
});

describe('A moment that a read asks for', () => {
  it('travels in a query string like in JSON', async () => {
    const targets: string[] = [];
    const caller = {
      call: ({ target }: { target: string }) => {
        targets.push(target);
        return Promise.resolve(METHODS.getRecord.response.encode({ record: undefined }));
      },
    } as unknown as Caller;
    const request = METHODS.getRecord.request.fromJson({
      ...{ collection: 'c', id: 'a', asOf: '2026-11-24T10:00:00Z', asOfSequenceNumber: 0 },
      ...{ select: ['x', 'y'], consistency: 'strong' },
    });
    await invoke(caller, 'getRecord', request, 'r', undefined);
    const query =
      'select=x&select=y&consistency=strong&asOf=2026-11-24T10%3A00%3A00.000Z&asOfSequenceNumber=0';
    expect(targets).to.deep.equal([`/v1/collections/c/records/a?${query}`]);
  });

  it('is refused where it is none', async () => {
    const db = new OmenClient({ token: 'secret' });
    const words = db.collection('words');
    for (const [field, value] of [
      ['asOf', new Date(NaN)],
      ['asOf', '2026-11-24T10:00:00Z'],
      ['asOf', 1_700_000_000_000],
      ['asOfSequenceNumber', -1],
      ['asOfSequenceNumber', 1.5],
      ['asOfSequenceNumber', '7'],
    ] as const) {
      const read = { [field]: value } as object;
      for (const call of [words.count(read), db.collections.branch('words', 'new', read)]) {
        const error = await call.then(
          () => undefined,
          (caught: unknown) => caught,
        );
        expect(error, `${field} ${String(value)}`).to.include({ reason: 'INVALID_ARGUMENT' });
        expect(error).to.have.nested.property('fieldViolations[0].field', field);
      }
    }
    await db.close();
  });
});
