import { expect } from 'chai';
import type { ErrorReason } from '#server/core/errors.js';
import { ERROR_TABLE, OmenError } from '#server/core/errors.js';
import { ErrorLog } from '#server/transport/error-log.js';
import { errorFor } from '#server/transport/errors.js';
import type { LoggedLine } from '../../support/recorded-log.js';
import { loggerInto } from '../../support/recorded-log.js';

const FACTS = { method: 'query', requestId: 'r-1' };
const REASONS = Object.keys(ERROR_TABLE) as ErrorReason[];

function open() {
  const lines: LoggedLine[] = [];
  const log = new ErrorLog(loggerInto(lines));
  const fail = (thrown: unknown, nowMs = 0): void => log.log(thrown, errorFor(thrown, 'r-1'), FACTS, nowMs);
  return { lines, fail };
}

describe('The log of failed requests', () => {
  it('has one line for each failure, with its request, as loud as the error table says', () => {
    for (const reason of REASONS) {
      const { lines, fail } = open();
      fail(new OmenError(reason, 'why'));
      expect(lines, reason).to.have.lengthOf(1);
      expect(lines[0]?.facts, reason).to.include(FACTS);
      const { fault, retry } = ERROR_TABLE[reason];
      const level = fault === 'client' ? 'debug' : retry === 'never' ? 'error' : 'warn';
      expect(lines[0]?.level, reason).to.equal(level);
    }
  });

  it('quotes nothing of a request that was refused', () => {
    const { lines, fail } = open();
    const description = 'the value "hidden" is not one of these';
    fail(new OmenError('INVALID_ATTRIBUTE', description, { field: 'records[3].attributes.kind' }));
    expect(JSON.stringify(lines)).to.not.include('hidden');
    expect(lines[0]?.facts).to.include({
      reason: 'INVALID_ATTRIBUTE',
      field: 'records[3].attributes.kind',
    });
  });

  it('has the stack of a mistake of ours, and of what storage says', () => {
    const mistake = new TypeError('a mistake');
    const silent = new OmenError('STORAGE_UNAVAILABLE', 'bucket "b" does not answer');
    const { lines, fail } = open();
    fail(mistake);
    fail(silent);
    expect(lines.map(({ facts }) => facts['error'])).to.deep.equal([mistake, silent]);
  });

  it('has one line a second and no stack for load that is turned away, however much there is', () => {
    for (const reason of ['OVERLOADED', 'DRAINING', 'MEMORY_EXHAUSTED', 'WRITE_BACKPRESSURE'] as const) {
      const { lines, fail } = open();
      for (let ms = 0; ms < 3000; ms += 2) fail(new OmenError(reason, 'too much'), ms);
      expect(
        lines.map(({ facts }) => facts['suppressed']),
        reason,
      ).to.deep.equal([undefined, 499, 499]);
      expect(lines[0]?.facts).to.include({ reason, why: 'too much' }).and.not.have.property('error');
    }
  });

  it('makes no stack of a deadline', () => {
    const { lines, fail } = open();
    fail(new OmenError('DEADLINE_EXCEEDED', 'the request was not answered within 5 ms'));
    expect(lines[0]?.facts).to.include({ why: 'the request was not answered within 5 ms' });
    expect(lines[0]?.facts).to.not.have.property('error');
  });
});
