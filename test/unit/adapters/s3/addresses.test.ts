// Where requests go: to the bucket's own host, to another store, with which region.
import { expect } from 'chai';
import type { HttpRequest, HttpTransport } from '#server/adapters/s3/http-transport.js';
import type { S3Options } from '#server/adapters/s3/s3-options.js';
import { S3_ENVIRONMENT, openS3Store } from '../../../support/s3-store.js';

const NONCE = '0'.repeat(32);

/** The requests of a put and a read. */
async function requestsOf(
  options: Partial<S3Options>,
  env: Readonly<Record<string, string>> = {},
): Promise<HttpRequest[]> {
  const requests: HttpRequest[] = [];
  const transport: HttpTransport = {
    send: async (request) => {
      requests.push(request);
      return {
        status: request.method === 'PUT' ? 200 : 404,
        headers: { etag: '"e"' },
        body: new Uint8Array(),
      };
    },
    close: async () => undefined,
  };
  const store = await openS3Store('', options, { transport }, { ...S3_ENVIRONMENT, ...env });
  await store.putIfAbsent('a/ü b', new Uint8Array(1), NONCE);
  await store.get('a/ü b');
  await store.close();
  return requests;
}

const hostsOf = async (...args: Parameters<typeof requestsOf>): Promise<string[]> =>
  (await requestsOf(...args)).map(({ origin, path }) => `${origin}${path.replace(/\?.*/, '')}`);

describe('S3 addresses', () => {
  it('are the host of the bucket in the region that is set', async () => {
    const wanted = 'https://vectors.s3.eu-north-1.amazonaws.com/p/a/%C3%BC%20b';
    const options = { bucket: 'vectors', prefix: 'p/', endpoint: null, forcePathStyle: false };
    expect(await hostsOf(options, { AWS_REGION: 'eu-north-1' })).to.deep.equal([wanted, wanted]);
  });

  it('have the bucket in the path when that is asked for', async () => {
    const wanted = 'https://s3.eu-north-1.amazonaws.com/vectors/a/%C3%BC%20b';
    const options = { bucket: 'vectors', endpoint: null, forcePathStyle: true };
    expect(await hostsOf(options, { AWS_REGION: 'eu-north-1' })).to.deep.equal([wanted, wanted]);
  });

  it('are those of another store', async () => {
    const options = { bucket: 'vectors', endpoint: 'https://s3.example.com:9000', forcePathStyle: false };
    const wanted = 'https://vectors.s3.example.com:9000/a/%C3%BC%20b';
    expect(await hostsOf(options)).to.deep.equal([wanted, wanted]);
  });

  it('need no region at another store, and sign for the one that is set', async () => {
    const options = { endpoint: 'http://127.0.0.1:9000' };
    const scopes = async (region: string): Promise<string[]> =>
      (await requestsOf(options, { AWS_REGION: region })).map(
        ({ headers }) => /Credential=test\/\d+\/([^/]+)\/s3/.exec(headers['authorization'] ?? '')?.[1] ?? '',
      );
    expect(await scopes('moon-1')).to.deep.equal(['moon-1', 'moon-1']);
    expect(await scopes('')).to.deep.equal(['us-east-1', 'us-east-1']);
  });

  it('say which setting is missing when there is no region', async () => {
    const refusal = await hostsOf({ endpoint: null }, { AWS_REGION: '' }).catch(String);
    expect(refusal).to.match(/no region is known: set AWS_REGION/);
  });

  it('carry the condition, the nonce and the hash of the body', async () => {
    const [put] = await requestsOf({ endpoint: 'http://127.0.0.1:9000' });
    expect(put?.headers).to.include({ 'if-none-match': '*', 'x-amz-meta-omendb-nonce': NONCE });
    expect(put?.headers['x-amz-content-sha256']).to.match(/^[0-9a-f]{64}$/);
  });
});
