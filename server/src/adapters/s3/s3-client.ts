/*
 * The SDK, loaded when a store on S3 is opened and not before: it costs a tenth of a second and 30 MB.
 *
 * Writes and listings go through its commands; reads are signed with its signer and sent by ourselves, which
 * takes less than half the CPU time (docs/decisions). Both use the same connections, and the SDK repeats
 * nothing by itself: a conditional request that was repeated unseen has an outcome that nobody can tell.
 */
import type * as Sdk from '@aws-sdk/client-s3';
import type { HttpHandler, HttpHandlerOptions, HttpRequest, HttpResponse } from '@smithy/core/protocols';
import type { SignatureV4 } from '@smithy/signature-v4';
import type { Clock } from '../../ports/clock.js';
import type { HttpAnswer, HttpOptions, HttpTransport } from './http-transport.js';
import { S3Failure, failureOf, failureOfAnswer } from './s3-failure.js';
import type { S3Options } from './s3-options.js';

/** A read to be signed. */
export interface ReadRequest {
  readonly method: 'GET' | 'HEAD';
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The two ways to the bucket. */
export interface S3Access {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
  /** For messages. */
  readonly endpoint: string;
  /**
   * Sends a read, signed. The answer is a 200, 206 or 304. Rejects with `S3Failure`, or with the signal's
   * reason.
   */
  read(request: ReadRequest, options: HttpOptions): Promise<HttpAnswer>;
}

/** Longest time for an answer to a request without a body of note. */
export const HEADERS_MS = 10_000;
/** What a body may take on top, at the least throughput that is worth waiting for: 1 MiB a second. */
const MS_PER_BODY_BYTE = 1000 / 2 ** 20;

/** Throws `S3Failure` when the region is not known or the bucket is of a kind that cannot be used. */
export async function openS3(
  options: S3Options,
  transport: HttpTransport,
  { clock, onRepeat }: ReadDeps,
): Promise<S3Access> {
  const sdk = await import('@aws-sdk/client-s3');
  const { getEndpointFromInstructions } = await import('@smithy/core/endpoints');
  const { SignatureV4 } = await import('@smithy/signature-v4');
  try {
    const client = await createClient(sdk, options, transport);
    const { config } = client;
    const bucket = { Bucket: options.bucket };
    const place = await getEndpointFromInstructions(bucket, sdk.ListObjectsV2Command, config);
    const [scheme] = (place.properties?.['authSchemes'] ?? []) as { name?: string; signingRegion?: string }[];
    if (scheme?.name !== undefined && scheme.name !== 'sigv4')
      throw new S3Failure('unsupported', `buckets that sign with ${scheme.name} cannot be used`, null);
    const signer = new SignatureV4({
      ...{ service: 's3', uriEscapePath: false, applyChecksum: false },
      region: scheme?.signingRegion ?? config.region,
      credentials: config.credentials,
      sha256: config.sha256,
    });
    return new SignedAccess(sdk, client, { url: place.url, signer, transport, clock, onRepeat });
  } catch (error) {
    throw failureOf(error);
  }
}

async function createClient(
  sdk: typeof Sdk,
  options: S3Options,
  transport: HttpTransport,
): Promise<Sdk.S3Client> {
  const config: Sdk.S3ClientConfig = {
    ...{ maxAttempts: 1, expectContinueHeader: false, forcePathStyle: options.forcePathStyle },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(options.endpoint === null ? {} : { endpoint: options.endpoint }),
    requestHandler: new SdkTransport(transport),
  };
  const client = new sdk.S3Client(config);
  try {
    await client.config.region();
    return client;
  } catch (error) {
    if (options.endpoint === null) throw error;
    // Other stores have no regions and take any; to ask for one would only puzzle.
    return new sdk.S3Client({ ...config, region: 'us-east-1' });
  }
}

/** What signed reads need. */
export interface ReadDeps {
  readonly clock: Clock;
  /** A read is sent once more, because the clocks differ. */
  readonly onRepeat: () => void;
}

interface SignedParts extends ReadDeps {
  readonly url: URL;
  readonly signer: SignatureV4;
  readonly transport: HttpTransport;
}

class SignedAccess implements S3Access {
  readonly endpoint: string;
  readonly #base: string;
  /** What the store's clock is ahead of ours. */
  #skewMs = 0;

  constructor(
    readonly sdk: typeof Sdk,
    readonly client: Sdk.S3Client,
    private readonly parts: SignedParts,
  ) {
    this.endpoint = parts.url.origin;
    this.#base = parts.url.pathname.replace(/\/$/, '');
  }

  async read(request: ReadRequest, options: HttpOptions): Promise<HttpAnswer> {
    try {
      return await this.#send(request, options);
    } catch (error) {
      if (!(error instanceof S3Failure) || error.kind !== 'skewed') throw error;
      const date = Date.parse(error.headers['date'] ?? '');
      if (Number.isNaN(date)) throw error;
      this.#skewMs = date - this.parts.clock.now();
      this.parts.onRepeat();
      return this.#send(request, options);
    }
  }

  async #send({ method, key, headers }: ReadRequest, options: HttpOptions): Promise<HttpAnswer> {
    const { url, signer, transport, clock } = this.parts;
    const path = `${this.#base}/${escapeKey(key)}`;
    try {
      const signed = await signer.sign(
        {
          ...{ method, path, protocol: url.protocol, hostname: url.hostname },
          headers: { ...headers, host: url.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
        },
        { signingDate: new Date(clock.now() + this.#skewMs) },
      );
      const wire = { origin: url.origin, path, method, headers: signed.headers };
      const answer = await transport.send(wire, options);
      const { status } = answer;
      if (status === 200 || status === 206 || status === 304) return answer;
      throw failureOfAnswer(status, answer.headers, answer.body);
    } catch (error) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      throw failureOf(error);
    }
  }
}

/** Hands the SDK's requests to our connections. */
class SdkTransport implements HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(private readonly transport: HttpTransport) {}

  async handle(request: HttpRequest, options: HttpHandlerOptions = {}): Promise<{ response: HttpResponse }> {
    const { protocol, hostname, port, path, query, method, headers } = request;
    const body = request.body as Uint8Array | string | undefined;
    const answer = await this.transport.send(
      {
        ...{
          origin: `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`,
          method,
          headers,
          body,
        },
        path: `${path}${queryText(query)}`,
      },
      {
        headersMs: HEADERS_MS + (body?.length ?? 0) * MS_PER_BODY_BYTE,
        signal: options.abortSignal as AbortSignal | undefined,
      },
    );
    const named = Object.entries(answer.headers).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const response = { statusCode: answer.status, headers: Object.fromEntries(named), body: answer.body };
    return { response };
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {};
  }
}

/** Every byte but those that mean themselves in every URL, as signatures have it. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function escapeKey(key: string): string {
  return key.split('/').map(escape).join('/');
}

function queryText(query: HttpRequest['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${escape(name)}=${escape(one ?? '')}`),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
