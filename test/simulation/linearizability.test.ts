import { expect } from 'chai';
import type { Answer, Effect, Intent, ModelRecord } from './model.js';
import { Checker, Violation } from './linearizability.js';

const record = (rank: number, stamp: string): ModelRecord => ({ vector: [rank], color: 'red', rank, stamp });
const put = (id: string, rank: number, stamp: string): Effect => ({ id, record: record(rank, stamp) });
const upsert = (id: string, rank: number, stamp: string): Intent => ({
  kind: 'upsert',
  records: [{ id, ...record(rank, stamp) }],
});
const INSERTED: Answer = { inserted: 1, updated: 0 };
const UPDATED: Answer = { inserted: 0, updated: 1 };

describe('The checker of histories', () => {
  let checker: Checker;
  let slots: number;

  beforeEach(() => {
    checker = new Checker();
    slots = 0;
  });

  /** A slot with the effects of one request. */
  const log = (requestId: string | null, ...effects: readonly Effect[]): void =>
    checker.commit({
      ...{ slot: ++slots, firstSequence: checker.sequence + 1, timeMs: slots },
      writes: [{ requestId, effects }],
    });
  const begin = (stamp: string, intent: Intent, nowMs = 0): void => {
    checker.begin(stamp, intent, nowMs);
    checker.attempt(stamp);
  };
  /** Two writes, logged and acknowledged: a is 1, then 2. */
  const twoWrites = (): void => {
    begin('w1', upsert('a', 1, 'w1'));
    log('w1', put('a', 1, 'w1'));
    checker.acknowledged('w1', 1, INSERTED, 10);
    begin('w2', upsert('a', 2, 'w2'), 20);
    log('w2', put('a', 2, 'w2'));
    checker.acknowledged('w2', 2, UPDATED, 30);
  };
  const read = (rank: number | undefined, floor: number, sequence?: number): void =>
    checker.read(
      {
        ...{ what: 'read', floor, ...(sequence === undefined ? {} : { sequence }) },
        differs: (state) =>
          state.get('a')?.rank === rank ? null : `a is ${state.get('a')?.rank ?? 'absent'}`,
      },
      40,
    );
  const rejects = (run: () => void, text: RegExp): void => {
    expect(run).to.throw(Violation, text);
  };

  it('accepts reads of every state that is new enough', () => {
    twoWrites();
    read(2, checker.ticket(40).floor);
    read(1, 0);
    read(undefined, 0);
    read(1, 0, 1);
  });

  it('rejects a read that does not see what was acknowledged before it began', () => {
    twoWrites();
    rejects(() => read(1, checker.ticket(40).floor), /no state from place 2 to 2/);
    rejects(() => read(1, 2, 1), /older than 2/);
  });

  it('rejects a read that no state explains, and one that is of another state than it says', () => {
    twoWrites();
    rejects(() => read(3, 0), /no state from place 0 to 2/);
    rejects(() => read(1, 0, 2), /a is 2/);
    rejects(() => read(2, 0, 7), /no place in the log/);
  });

  it('rejects a read that mixes two states', () => {
    for (const id of ['a', 'b']) {
      begin(`w-${id}`, upsert(id, 1, `w-${id}`));
      log(`w-${id}`, put(id, 1, `w-${id}`));
    }
    const sees = (b: boolean, a: boolean) => (): void =>
      checker.read(
        {
          ...{ what: 'read', floor: 0 },
          differs: (state) => (state.has('a') === a && state.has('b') === b ? null : 'another state'),
        },
        0,
      );
    sees(false, true)();
    rejects(sees(true, false), /another state/);
  });

  it('remembers what a read has seen: a later strong read must not see less', () => {
    twoWrites();
    begin('w3', upsert('a', 3, 'w3'));
    log('w3', put('a', 3, 'w3'));
    expect(checker.ticket(0).floor).to.equal(2);
    read(3, 0, 3);
    expect(checker.ticket(0).floor).to.equal(3);
  });

  it('knows what was acknowledged at a time, for reads that may be a little old', () => {
    twoWrites();
    expect([5, 10, 29, 30].map((ms) => checker.floorAt(ms))).to.deep.equal([0, 1, 1, 2]);
    expect([0, 1, 2, 9].map((ms) => checker.momentAtTime(ms))).to.deep.equal([0, 1, 2, 2]);
  });

  it('rejects an acknowledged write that is not in the log', () => {
    begin('w1', upsert('a', 1, 'w1'));
    rejects(() => checker.acknowledged('w1', 1, INSERTED, 10), /not in the log/);
  });

  it('accepts an acknowledgement without a place only for what changes nothing', () => {
    begin('w1', { kind: 'delete', ids: ['a'] });
    checker.acknowledged('w1', 0, { deleted: 0 }, 10);
    twoWrites();
    begin('w3', { kind: 'delete', ids: ['a'] });
    rejects(() => checker.acknowledged('w3', 2, { deleted: 0 }, 10), /not in the log/);
  });

  it('rejects a write that is in the log twice', () => {
    begin('w1', upsert('a', 1, 'w1'));
    log('w1', put('a', 1, 'w1'));
    rejects(() => log('w1', put('a', 1, 'w1')), /twice/);
    begin('w2', upsert('b', 1, 'w2'));
    log(null, put('b', 1, 'w2'));
    rejects(() => log(null, put('b', 1, 'w2')), /twice/);
  });

  it('rejects a write that does something else than it was asked for', () => {
    begin('w1', upsert('a', 1, 'w1'));
    rejects(() => log('w1', put('a', 2, 'w1')), /asks for/);
    rejects(() => log('nobody', put('a', 2, 'nobody')), /of nobody/);
  });

  it('rejects half of a batch', () => {
    begin('w1', { kind: 'upsert', records: ['a', 'b'].map((id) => ({ id, ...record(1, 'w1') })) });
    rejects(() => log('w1', put('a', 1, 'w1')), /asks for/);
  });

  it('rejects answers that the place in the log does not explain', () => {
    begin('w1', upsert('a', 1, 'w1'));
    log('w1', put('a', 1, 'w1'));
    rejects(() => checker.acknowledged('w1', 1, UPDATED, 10), /its place asks for/);
    begin('w2', upsert('b', 1, 'w2'));
    log('w2', put('b', 1, 'w2'));
    rejects(() => checker.acknowledged('w2', 1, INSERTED, 10), /is at 2 and was acknowledged at 1/);
  });

  it('rejects a patch that was made against an older state', () => {
    twoWrites();
    begin('w3', { kind: 'patch', ids: ['a'], rank: 9, stamp: 'w3' });
    const old: Effect = { id: 'a', record: { ...record(1, 'w3'), rank: 9 } };
    rejects(() => log('w3', old), /asks for/);
  });

  it('accepts a deletion by filter of what matched and still matches, and no other', () => {
    twoWrites();
    begin('w3', upsert('b', 1, 'w3'), 50);
    log('w3', put('b', 1, 'w3'));
    checker.acknowledged('w3', 3, INSERTED, 60);
    // Matched b alone when it began; a came to match later and stays.
    begin('w4', { kind: 'deleteWhere', rankBelow: 2 }, 70);
    begin('w5', upsert('a', 0, 'w5'), 70);
    log('w5', put('a', 0, 'w5'));
    log('w4', { id: 'b', record: null });
    checker.acknowledged('w4', 5, { deleted: 1 }, 80);
    begin('w6', { kind: 'deleteWhere', rankBelow: 2 }, 90);
    rejects(() => log('w6', { id: 'b', record: null }), /no moment explains/);
  });

  it('takes an unknown outcome either way, and a certain refusal at its word', () => {
    begin('w1', upsert('a', 1, 'w1'));
    checker.failed('w1', false);
    log('w1', put('a', 1, 'w1'));
    begin('w2', upsert('b', 1, 'w2'));
    checker.failed('w2', true);
    rejects(() => log('w2', put('b', 1, 'w2')), /refused for certain/);
    begin('w3', upsert('c', 1, 'w3'));
    log('w3', put('c', 1, 'w3'));
    rejects(() => checker.failed('w3', true), /refused for certain/);
  });

  it('rejects slots that leave a gap, and a log whose time goes back', () => {
    begin('w1', upsert('a', 1, 'w1'));
    const slot = { slot: 1, writes: [{ requestId: 'w1', effects: [put('a', 1, 'w1')] }] };
    rejects(() => checker.commit({ ...slot, firstSequence: 3, timeMs: 1 }), /begins with 3 after 0/);
    checker.commit({ ...slot, firstSequence: 1, timeMs: 1 });
    rejects(() => checker.commit({ slot: 2, firstSequence: 2, timeMs: 0, writes: [] }), /older than/);
  });

  it('gives the state behind every write, also in the middle of a slot', () => {
    const records = ['a', 'b'].map((id) => ({ id, ...record(1, 'w1') }));
    begin('w1', { kind: 'upsert', records });
    log('w1', put('a', 1, 'w1'), put('b', 1, 'w1'));
    expect([0, 1, 2].map((sequence) => checker.stateAtSequence(sequence).size)).to.deep.equal([0, 1, 2]);
  });
});
