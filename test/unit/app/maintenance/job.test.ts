import { expect } from 'chai';
import { withoutEnded } from '#server/app/maintenance/job.js';
import { newRoot } from '#server/core/log/root.js';
import { COLLECTION, SCHEMA } from '../../../support/log-node.js';

const MINUTE = 60_000;

describe('Jobs of other servers', () => {
  const isLeft = (claimedAtMs: number, nowMs: number): boolean => {
    const job = { jobId: 'j', kind: 'flush', inputs: [], claimedBy: 'other', claimedAtMs } as const;
    const root = { ...newRoot(COLLECTION, SCHEMA), jobs: [job] };
    return withoutEnded(root, { owner: 'me', running: new Set(), nowMs }).jobs.length === 1;
  };

  it('keep their right while they may be at it, also when clocks differ by minutes', () => {
    for (const minutes of [-14, 0, 14]) expect(isLeft(MINUTE * (100 + minutes), 100 * MINUTE)).to.equal(true);
  });

  it('lose it when they are old, or were claimed by a clock that was far ahead', () => {
    for (const minutes of [-16, 16, 1e6])
      expect(isLeft(MINUTE * (100 + minutes), 100 * MINUTE)).to.equal(false);
  });
});
