// A small server that speaks the protocol of S3 over memory, and does on demand what stores and networks do
// on bad days. It takes any signature of the key `test`: real servers are for checking those.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { StubCondition, StubFlaws, StubObject, StubWrite } from './s3-stub-bucket.js';
import { StubBucket, md5 } from './s3-stub-bucket.js';

/** What can happen to one request. */
export type StubFault =
  | '500'
  | '503'
  /** 507: there is no room. */
  | '507'
  /** 409: another conditional request is in work. */
  | '409'
  /** Nothing is answered, ever. */
  | 'hang'
  /** The connection is closed without an answer. */
  | 'drop'
  /** Likewise, after the request took effect. */
  | 'drop-after'
  /** 500 although the request took effect. */
  | '500-after'
  /** 412 although it took effect: a repetition inside the store. */
  | '412-after'
  /** 404 as if the upload were not known. */
  | 'no-upload'
  /** 200 with an error for a body; nothing took effect. */
  | '200-error'
  /** Likewise, and it took effect. */
  | '200-error-after'
  /** 200 without a body although it took effect. */
  | '200-empty'
  /** The body of an answer breaks off in the middle. */
  | 'truncated'
  /** It is shorter than the range that it says it is. */
  | 'short'
  /** It stops in the middle and the connection stays open. */
  | 'stalled'
  /** The whole object for a range. */
  | 'whole'
  /** Another range than was asked for. */
  | 'wrong-range'
  /** Another etag than the object has. */
  | 'wrong-etag'
  /** 403 because the clocks differ. */
  | 'skewed';

export interface StubRequest {
  readonly operation: 'put' | 'get' | 'head' | 'list' | 'delete' | 'begin' | 'part' | 'complete' | 'abort';
  readonly key: string;
  /** Of the connection, by the order in which they were made. */
  readonly connection: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

interface Plan {
  remaining: number;
  readonly fault: StubFault;
  readonly matches: (request: StubRequest) => boolean;
}

export class S3Stub {
  readonly bucket: StubBucket;
  /** Every request so far. */
  readonly requests: StubRequest[] = [];
  /** Connections that are open. */
  readonly sockets = new Set<Socket>();
  /** Requests that wait for their answer, and the most there ever were. */
  inWork = 0;
  inWorkMost = 0;
  /** Called before each request is looked at: may wait. */
  before: ((request: StubRequest) => Promise<void> | void) | null = null;
  readonly #numbers = new Map<Socket, number>();
  #plans: Plan[] = [];

  private constructor(
    private readonly server: Server,
    flaws: StubFlaws,
  ) {
    this.bucket = new StubBucket(flaws);
    server.on('request', (request, response) => void this.#serve(request, response));
    server.on('connection', (socket) => {
      this.#numbers.set(socket, this.#numbers.size);
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  static async start(flaws: StubFlaws = {}): Promise<S3Stub> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new S3Stub(server, flaws);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The next `count` matching requests have this fault. */
  fail(fault: StubFault, matches: (request: StubRequest) => boolean = () => true, count = 1): void {
    this.#plans.push({ remaining: count, fault, matches });
  }

  heal(): void {
    this.#plans = [];
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://stub');
    const [, , ...parts] = url.pathname.split('/');
    const key = decodeURIComponent(parts.join('/'));
    const headers = incoming.headers as Record<string, string | undefined>;
    const operation = operationOf(incoming.method ?? '', key, url.searchParams);
    const request = { operation, key, connection: this.#numbers.get(incoming.socket) ?? -1, headers };
    this.requests.push(request);
    this.inWorkMost = Math.max(this.inWorkMost, ++this.inWork);
    response.once('close', () => this.inWork--);
    try {
      await this.before?.(request);
      const body = await bodyOf(incoming);
      const call = new StubCall(this.bucket, request, url, body, response);
      await call.run(this.#faultOf(request));
    } catch {
      // The client has closed the connection.
      response.destroy();
    }
  }

  #faultOf(request: StubRequest): StubFault | null {
    const plan = this.#plans.find((one) => one.remaining > 0 && one.matches(request));
    if (plan === undefined) return null;
    plan.remaining--;
    return plan.fault;
  }
}

/** One request in work. */
class StubCall {
  constructor(
    private readonly bucket: StubBucket,
    private readonly request: StubRequest,
    private readonly url: URL,
    private readonly body: Buffer,
    private readonly response: ServerResponse,
  ) {}

  async run(fault: StubFault | null): Promise<void> {
    const { headers } = this.request;
    if (!(headers['authorization'] ?? '').includes('Credential=test/'))
      return this.#error(403, 'InvalidAccessKeyId');
    if (!this.url.pathname.startsWith('/bucket')) return this.#error(404, 'NoSuchBucket');
    if (headers['transfer-encoding'] !== undefined) return this.#error(411, 'MissingContentLength');
    switch (fault) {
      case 'hang':
        return;
      case 'drop':
        return void this.response.destroy();
      case '500':
        return this.#error(500, 'InternalError');
      case '503':
        return this.#error(503, 'SlowDown');
      case '507':
        return this.#error(507, 'XMinioStorageFull');
      case '409':
        return this.#error(409, 'ConditionalRequestConflict');
      case 'no-upload':
        return this.#error(404, 'NoSuchUpload');
      case 'skewed':
        return this.#error(403, 'RequestTimeTooSkewed', {
          date: new Date(Date.now() + 3_600_000).toUTCString(),
        });
      case '200-error':
        return this.#send(200, {}, ERROR_BODY);
      default:
        return this.#answer(fault);
    }
  }

  async #answer(fault: StubFault | null): Promise<void> {
    const { operation, key } = this.request;
    switch (operation) {
      case 'get':
      case 'head':
        return this.#read(fault);
      case 'list':
        return this.#list();
      case 'delete':
        this.bucket.objects.delete(key);
        return this.#send(204, {});
      case 'put': {
        const object = { body: this.body, etag: md5(this.body), headers: keptHeaders(this.request) };
        return this.#written(await this.bucket.write(key, object, this.#condition), object.etag, fault);
      }
      default:
        return this.#upload(operation, fault);
    }
  }

  async #upload(operation: StubRequest['operation'], fault: StubFault | null): Promise<void> {
    const { key } = this.request;
    if (operation === 'begin') {
      const id = this.bucket.begin(key, keptHeaders(this.request));
      return this.#send(
        200,
        {},
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    const id = this.url.searchParams.get('uploadId') ?? '';
    const upload = this.bucket.uploads.get(id);
    if (upload === undefined) return this.#error(404, 'NoSuchUpload');
    if (operation === 'abort') {
      this.bucket.uploads.delete(id);
      return this.#send(204, {});
    }
    if (operation === 'part') {
      upload.parts.set(Number(this.url.searchParams.get('partNumber')), this.body);
      return this.#send(200, { etag: `"${md5(this.body)}"` });
    }
    const written = await this.bucket.complete(id, upload, this.#condition);
    const etag = this.bucket.objects.get(key)?.etag ?? '';
    if (written !== 'done' || fault !== null) return this.#written(written, etag, fault);
    const result = `<CompleteMultipartUploadResult><ETag>"${etag}"</ETag></CompleteMultipartUploadResult>`;
    return this.#send(200, {}, result);
  }

  #written(outcome: StubWrite, etag: string, fault: StubFault | null): void {
    if (outcome !== 'done') return this.#error(outcome === 'NoSuchKey' ? 404 : 412, outcome);
    if (fault === 'drop-after') return void this.response.destroy();
    if (fault === '500-after') return this.#error(500, 'InternalError');
    if (fault === '412-after') return this.#error(412, 'PreconditionFailed');
    if (fault === '200-empty') return this.#send(200, {});
    if (fault === '200-error-after') return this.#send(200, {}, ERROR_BODY);
    this.#send(200, { etag: `"${etag}"` });
  }

  #read(fault: StubFault | null): void {
    const object = this.bucket.objects.get(this.request.key);
    if (object === undefined) return this.#error(404, 'NoSuchKey');
    const headers = { ...object.headers, etag: `"${fault === 'wrong-etag' ? 'f'.repeat(32) : object.etag}"` };
    const match = this.request.headers['if-none-match']?.replaceAll('"', '');
    if (match === object.etag) return this.#send(304, headers);
    const [status, extra, body] = cut(object, fault === 'whole' ? undefined : this.request.headers['range']);
    if (status === 416) return this.#error(416, 'InvalidRange');
    const [, first = '0', last = '0'] = /^bytes (\d+)-(\d+)/.exec(extra['content-range'] ?? '') ?? [];
    const further = `bytes ${Number(first) + 1}-${Number(last) + 1}/${object.body.length}`;
    const shifted = fault === 'wrong-range' ? { 'content-range': further } : {};
    const all = { ...headers, ...extra, ...shifted, 'content-length': String(body.length) };
    if (fault === 'short') return this.#send(status, { ...all, 'content-length': '7' }, body.subarray(0, 7));
    if (fault !== 'truncated' && fault !== 'stalled') return this.#send(status, all, body);
    this.response.writeHead(status, all);
    this.response.write(body.subarray(0, body.length >> 1));
    if (fault === 'truncated') setImmediate(() => this.response.destroy());
  }

  #list(): void {
    const query = this.url.searchParams;
    const token = query.get('continuation-token');
    const after = token === null ? null : Buffer.from(token, 'base64url').toString().slice(1);
    const rows = this.bucket.list(query.get('prefix') ?? '', after ?? query.get('start-after') ?? '');
    const limit = Math.min(1000, Number(query.get('max-keys') ?? 1000));
    // The token says whether the empty page has been sent.
    const hollow = this.bucket.flaws.emptyPages === true && token === null && rows.length > 0;
    const page = hollow ? [] : rows.slice(0, limit);
    const next = hollow ? `t${query.get('start-after') ?? ''}` : `t${page.at(-1)?.[0] ?? ''}`;
    const contents = page.map(
      ([key, { body }]) =>
        `<Contents><Key>${encodeURIComponent(key).replaceAll('%20', '+')}</Key><Size>${body.length}</Size></Contents>`,
    );
    const truncated = hollow || rows.length > limit;
    const tail = truncated
      ? `<NextContinuationToken>${Buffer.from(next).toString('base64url')}</NextContinuationToken>`
      : '';
    this.#send(
      200,
      {},
      `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${truncated}</IsTruncated>${tail}` +
        `${contents.join('')}</ListBucketResult>`,
    );
  }

  get #condition(): StubCondition {
    const { headers } = this.request;
    return { ifNoneMatch: headers['if-none-match'], ifMatch: headers['if-match'] };
  }

  #error(status: number, code: string, headers: Record<string, string> = {}): void {
    this.#send(status, headers, `<Error><Code>${code}</Code><Message>stub says ${code}</Message></Error>`);
  }

  #send(status: number, headers: Record<string, string>, body: string | Buffer = ''): void {
    this.response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
    this.response.end(this.request.operation === 'head' ? undefined : body);
  }
}

const ERROR_BODY = '<Error><Code>InternalError</Code><Message>late</Message></Error>';

function operationOf(method: string, key: string, query: URLSearchParams): StubRequest['operation'] {
  const uploading = query.has('uploadId');
  switch (method) {
    case 'HEAD':
      return 'head';
    case 'PUT':
      return uploading ? 'part' : 'put';
    case 'POST':
      return uploading ? 'complete' : 'begin';
    case 'DELETE':
      return uploading ? 'abort' : 'delete';
    default:
      return key === '' ? 'list' : 'get';
  }
}

function keptHeaders({ headers }: StubRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string] =>
        /^x-amz-(meta-|server-side-)/.test(entry[0]) && entry[1] !== undefined,
    ),
  );
}

function cut({ body }: StubObject, range: string | undefined): [number, Record<string, string>, Buffer] {
  const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? '');
  if (match === null) return [200, {}, body];
  const [first, last] = [Number(match[1]), Math.min(Number(match[2]), body.length - 1)];
  if (first >= body.length) return [416, {}, body];
  return [206, { 'content-range': `bytes ${first}-${last}/${body.length}` }, body.subarray(first, last + 1)];
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
