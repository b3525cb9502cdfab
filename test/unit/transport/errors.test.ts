import { expect } from 'chai';
import { OmenError } from '#server/core/errors.js';
import { errorFor, messageOf } from '#server/transport/errors.js';

const sent = (error: OmenError): string => messageOf(errorFor(error, 'r-1'));

describe('Errors that leave the server', () => {
  it('do not say where its storage is, and name the request under which the log does', () => {
    const inside = new OmenError('STORAGE_UNAVAILABLE', 'bucket "secret-bucket" at 10.0.0.7: access denied');
    expect(sent(inside)).to.not.match(/secret-bucket|10\.0\.0\.7/);
    expect(sent(inside)).to.contain('r-1');
    expect(errorFor(inside, 'r-1').reason).to.equal('STORAGE_UNAVAILABLE');
  });

  it('say of a write whether it may yet appear', () => {
    const text = 'the writes may yet appear';
    const unknown = new OmenError('STORAGE_UNAVAILABLE', text, { metadata: { outcome: 'unknown' } });
    expect(sent(unknown)).to.equal(text);
    expect(errorFor(unknown, 'r-1').metadata).to.deep.equal({ outcome: 'unknown' });
  });
});
