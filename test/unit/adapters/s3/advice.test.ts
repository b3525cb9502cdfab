// What a person reads when the bucket cannot be used.
import { expect } from 'chai';
import { S3Failure, failureOfAnswer, storageError } from '#server/adapters/s3/s3-failure.js';
import type { HttpHeaders } from '#server/adapters/s3/http-transport.js';
import { openS3Store } from '../../../support/s3-store.js';
import { S3Stub } from '../../../support/s3-stub.js';

function adviceFor(failure: S3Failure): string {
  const call = { action: 'read', key: 'a/root', bucket: 'vectors', endpoint: 'https://s3.example.com' };
  return storageError(failure, call).message;
}

function answered(status: number, code: string, headers: HttpHeaders = {}): string {
  const body = code === '' ? '' : `<Error><Code>${code}</Code><Message>the store says no</Message></Error>`;
  return adviceFor(failureOfAnswer(status, headers, new TextEncoder().encode(body)));
}

describe('S3 errors', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a wrong key', answered(403, 'InvalidAccessKeyId'), /check AWS_ACCESS_KEY_ID/],
    ['a wrong secret', answered(403, 'SignatureDoesNotMatch'), /check AWS_SECRET_ACCESS_KEY/],
    ['missing rights', answered(403, 'AccessDenied'), /needs s3:GetObject, s3:PutObject/],
    ['missing rights without a body', answered(403, ''), /needs s3:GetObject, s3:PutObject/],
    ['no bucket', answered(404, 'NoSuchBucket'), /create it, or correct OMENDB_OBJECT_STORE/],
    [
      'another region',
      answered(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-north-1' }),
      /the bucket is in region eu-north-1: set AWS_REGION=eu-north-1/,
    ],
    ['another region, unnamed', answered(400, 'AuthorizationHeaderMalformed'), /set AWS_REGION to it/],
    ['a clock that is wrong', answered(403, 'RequestTimeTooSkewed'), /the clock of this machine differs/],
    ['an expired token', answered(400, 'ExpiredToken'), /renew AWS_SESSION_TOKEN/],
    [
      'no credentials',
      adviceFor(new S3Failure('CredentialsProviderError', 'x', null)),
      /set AWS_ACCESS_KEY_ID and/,
    ],
    ['no region', adviceFor(new S3Failure('region', 'x', null)), /set AWS_REGION/],
    [
      'a name that is not known',
      adviceFor(new S3Failure('ENOTFOUND', 'x', null)),
      /check OMENDB_S3_ENDPOINT/,
    ],
    ['anything else', answered(400, 'Strange'), /the store says no \(Strange\)$/],
  ];
  for (const [what, seen, wanted] of cases) {
    it(`say what to do about ${what}`, () => {
      expect(seen).to.match(wanted);
      expect(seen).to.match(/^cannot read "a\/root" in bucket vectors: /);
    });
  }

  it('are told apart when a write ran out of room, and nothing was written', () => {
    const failure = failureOfAnswer(507, {}, new TextEncoder().encode('<Code>XMinioStorageFull</Code>'));
    const call = { action: 'write', key: 'k', bucket: 'b', endpoint: 'e' };
    expect(storageError(failure, call).reason).to.equal('STORAGE_FULL');
  });

  it('reach the user from a real request, from both kinds of calls', async () => {
    const stub = await S3Stub.start();
    try {
      const nowhere = await openS3Store(stub.endpoint, { bucket: 'nowhere' });
      const calls = [
        () => nowhere.get('k'),
        () => nowhere.putIfAbsent('k', new Uint8Array(1), '0'.repeat(32)),
        () => nowhere.list(''),
      ];
      for (const call of calls)
        expect(await call().catch(String)).to.match(/in bucket nowhere: there is no such bucket/);
      await nowhere.close();
    } finally {
      await stub.stop();
    }
    const silent = await openS3Store('http://127.0.0.1:1');
    expect(await silent.get('k').catch(String)).to.match(
      /http:\/\/127.0.0.1:1 cannot be reached: nothing listens there/,
    );
    await silent.close();
  });
});
