import { expect } from 'chai';
import { OmenError } from '#server/core/errors.js';
import { errorFor, messageOf } from '#server/transport/errors.js';
import { silentLogger } from '../../support/log-node.js';

const context = { method: 'query', requestId: 'r-1' };
const sent = (error: OmenError): string => messageOf(errorFor(error, context, silentLogger));

describe('Errors that leave the server', () => {
  it('do not say where its storage is, and name the request under which the log does', () => {
    const inside = new OmenError('STORAGE_UNAVAILABLE', 'bucket "secret-bucket" at 10.0.0.7: access denied');
    expect(sent(inside)).to.not.match(/secret-bucket|10\.0\.0\.7/);
    expect(sent(inside)).to.contain('r-1');
    expect(errorFor(inside, context, silentLogger).reason).to.equal('STORAGE_UNAVAILABLE');
  });

  it('say of a write whether it may yet appear', () => {
    const text = 'the writes may yet appear';
    const unknown = new OmenError('STORAGE_UNAVAILABLE', text, { metadata: { outcome: 'unknown' } });
    expect(sent(unknown)).to.equal(text);
    expect(errorFor(unknown, context, silentLogger).metadata).to.deep.equal({ outcome: 'unknown' });
  });
});
