import { expect } from 'chai';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  ERROR_CODES,
  InvalidArgumentError,
  NotFoundError,
  OmenError,
  ResourceExhaustedError,
} from '#sdk/index.js';
import { errorFor } from '#sdk/errors.js';
import { inRecordTerms } from '#sdk/wire/block-paths.js';
import { errorOfHttpBody, errorOfStatusBytes, parseRetryAfter } from '#sdk/wire/status.js';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** A message of length-delimited and varint fields. */
function message(...fields: readonly (readonly [number, string | Uint8Array | number])[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (typeof value === 'number') writer.uint32((number << 3) | 0).int64(value);
    else if (typeof value === 'string') writer.uint32((number << 3) | 2).string(value);
    else writer.uint32((number << 3) | 2).bytes(value);
  }
  return writer.finish();
}

const detail = (name: string, bytes: Uint8Array) =>
  message([1, `type.googleapis.com/google.rpc.${name}`], [2, bytes]);

describe('An error of the server', () => {
  it('is read from a protobuf status with all its details', () => {
    const status = message(
      [1, 3],
      [2, 'records[2].vector: wrong'],
      [
        3,
        detail(
          'ErrorInfo',
          message([1, 'DIMENSION_MISMATCH'], [2, 'omendb'], [3, message([1, 'want'], [2, '100'])]),
        ),
      ],
      [3, detail('BadRequest', message([1, message([1, 'records[2].vector'], [2, 'wrong'])]))],
      [3, detail('RetryInfo', message([1, message([1, 2], [2, 500_000_000])]))],
      [3, detail('RequestInfo', message([1, 'req-1']))],
      [3, detail('SomethingNew', message([1, 'x']))],
      [9, 'a field of the future'],
    );
    const error = errorOfStatusBytes(status, {});
    expect(error).to.be.instanceOf(InvalidArgumentError);
    expect(error).to.include({ code: 'INVALID_ARGUMENT', reason: 'DIMENSION_MISMATCH', status: 400 });
    expect(error).to.include({ message: 'records[2].vector: wrong', requestId: 'req-1', retryAfterMs: 2500 });
    expect(error.fieldViolations).to.deep.equal([{ field: 'records[2].vector', description: 'wrong' }]);
    expect(error.metadata).to.deep.equal({ want: '100' });
  });

  it('is read from JSON', () => {
    const body = json({
      error: {
        code: 404,
        status: 'NOT_FOUND',
        message: 'no collection "x"',
        details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'COLLECTION_NOT_FOUND' }],
      },
    });
    const error = errorOfHttpBody(body, 'application/json; charset=utf-8', {
      httpStatus: 404,
      requestId: 'r',
    });
    expect(error).to.be.instanceOf(NotFoundError);
    expect(error).to.include({
      reason: 'COLLECTION_NOT_FOUND',
      message: 'no collection "x"',
      requestId: 'r',
    });
  });

  it("keeps the text of whoever answered in the server's place", () => {
    const error = errorOfHttpBody(Buffer.from('<h1>Bad Gateway</h1>'), 'text/html', { httpStatus: 502 });
    expect(error).to.include({ code: 'UNAVAILABLE', reason: 'UNKNOWN', status: 502, retryable: true });
    expect(error.message).to.include('Bad Gateway');
    const empty = errorOfHttpBody(Buffer.alloc(0), '', { httpStatus: 413 });
    expect(empty)
      .to.be.instanceOf(ResourceExhaustedError)
      .and.include({ reason: 'MESSAGE_TOO_LARGE', retryable: false });
    const broken = errorOfHttpBody(Buffer.from([0x1a, 0xff]), 'application/x-protobuf', { httpStatus: 500 });
    expect(broken).to.include({ code: 'INTERNAL' });
    const strange = errorOfHttpBody(json({ error: 'nope' }), 'application/json', { httpStatus: 418 });
    expect(strange).to.include({ code: 'UNKNOWN', status: 418 });
  });

  it('says how long to wait in every form of Retry-After', () => {
    expect(parseRetryAfter('30', 0)).to.equal(30_000);
    expect(parseRetryAfter('0.25', 0)).to.equal(250);
    expect(parseRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 10_000)).to.equal(50_000);
    expect(parseRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 99_000)).to.equal(0);
    expect(parseRetryAfter('soon', 0)).to.equal(undefined);
    expect(parseRetryAfter(undefined, 0)).to.equal(undefined);
  });

  it('is of a class of its own for every code', () => {
    const names = Object.keys(ERROR_CODES).map((code) =>
      errorFor(code as keyof typeof ERROR_CODES, 'X', 'text'),
    );
    for (const error of names) {
      expect(error).to.be.instanceOf(OmenError);
      expect(error.name)
        .to.match(/Error$/)
        .and.not.equal('OmenError');
      expect(error.status).to.equal(ERROR_CODES[error.code].http);
    }
  });

  it('names records where the request had columns', () => {
    const error = errorFor('INVALID_ARGUMENT', 'ZERO_VECTOR', 'block[12].vector is zero, block.ids[3] too', {
      fieldViolations: [
        { field: 'block[12].vector', description: 'zero' },
        { field: 'block.attributes[4].values.year', description: 'bad' },
        { field: 'collection', description: 'block of flats' },
      ],
    });
    const said = inRecordTerms(error);
    expect(said.message).to.equal('records[12].vector is zero, records[3].id too');
    expect(said.fieldViolations.map(({ field }) => field)).to.deep.equal([
      'records[12].vector',
      'records[4].attributes.year',
      'collection',
    ]);
  });
});
