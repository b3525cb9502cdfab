import { expect } from 'chai';
import { newRoot } from '#server/core/log/root.js';
import { registerJob, revokeJob } from '#server/core/log/transitions.js';
import { COLLECTION, SCHEMA } from '../../../support/log-node.js';

describe('A job that has no right to publish', () => {
  const root = newRoot(COLLECTION, SCHEMA);
  const job = { jobId: 'one', kind: 'flush', inputs: [], claimedBy: 'x', claimedAtMs: 0 } as const;

  it('loses none, so that no version of the root is written for it', () => {
    expect(revokeJob(root, 'one')).to.equal(root);
    expect(revokeJob(registerJob(root, job), 'one').jobs).to.deep.equal([]);
  });
});
