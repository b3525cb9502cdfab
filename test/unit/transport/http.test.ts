import { connect } from 'node:net';
import { expect } from 'chai';
import type { Handlers } from '#server/app/api.js';
import { METHODS } from '#sdk/gen/methods.js';
import type { EdgeServer, EdgeServerOptions } from '../../support/edge-server.js';
import { startEdgeServer } from '../../support/edge-server.js';
import { NO_HITS, stubHandlers } from '../../support/stub-handlers.js';
import { send } from '../../support/wire-client.js';

const PATH = '/v1/collections/words/records:query';
const GOOD = '{"vector":[1,2]}';
const PROTOBUF = 'application/x-protobuf';

describe('The HTTP API', () => {
  let server: EdgeServer;
  let authorization: string;

  async function start(handlers: Partial<Handlers> = {}, options: EdgeServerOptions = {}): Promise<void> {
    server = await startEdgeServer(stubHandlers({ query: async () => NO_HITS, ...handlers }), options);
    authorization = `Bearer ${await server.token()}`;
  }

  afterEach(() => server.stop());

  interface Answer {
    readonly status: number;
    readonly type: string;
    readonly json: unknown;
    readonly reason: string;
    readonly fields: readonly string[];
    readonly message: string;
  }

  async function post(
    body: string | Uint8Array,
    headers: Record<string, string> = {},
    path = PATH,
  ): Promise<Answer> {
    const sent = { 'content-type': 'application/json', authorization, ...headers };
    const present = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== ''));
    return understand(await send(server.url, path, { method: 'POST', headers: present, body }));
  }

  function understand({ status, type, bytes }: Awaited<ReturnType<typeof send>>): Answer {
    const json: unknown = type.startsWith('application/json')
      ? JSON.parse(new TextDecoder().decode(bytes))
      : {};
    const { error } = json as { error?: { message: string; details: Record<string, unknown>[] } };
    const violations = error?.details.find((detail) => 'fieldViolations' in detail)?.['fieldViolations'];
    return {
      ...{ status, type, json, message: error?.message ?? '' },
      reason: String(error?.details[0]?.['reason'] ?? ''),
      fields: ((violations ?? []) as { field: string }[]).map(({ field }) => field),
    };
  }

  it('tells about its health without credentials', async () => {
    await start();
    for (const method of ['GET', 'HEAD']) {
      expect((await send(server.url, '/health', { method })).status).to.equal(200);
    }
    const { json } = understand(await send(server.url, '/health', {}));
    expect(json).to.include({ status: 'ok', version: '0.0.0-test' });
    expect(json).to.have.property('uptimeSeconds').that.is.a('number');
  });

  it('describes itself', async () => {
    await start();
    const { json } = understand(await send(server.url, '/openapi.json', {}));
    const { paths } = json as { paths: Record<string, unknown> };
    const missing = Object.values(METHODS).filter(({ path }) => paths[path] === undefined);
    expect(missing.map(({ path }) => path)).to.deep.equal([]);
  });

  it('answers in the encoding asked for, else in that of the request', async () => {
    await start();
    const message = METHODS.query.request.encode(METHODS.query.request.fromJson({ vector: [1, 2] }));
    const type = 'content-type';
    expect((await post(GOOD)).type).to.include('json');
    expect((await post(GOOD, { accept: '*/*' })).type).to.include('json');
    expect((await post(GOOD, { accept: PROTOBUF })).type).to.equal(PROTOBUF);
    expect((await post(message, { [type]: PROTOBUF })).type).to.equal(PROTOBUF);
    expect(
      (await post(message, { [type]: 'application/protobuf', accept: 'application/json' })).type,
    ).to.include('json');
    expect((await post('{', { accept: PROTOBUF })).type, 'an error').to.equal(PROTOBUF);
  });

  it('takes JSON and protobuf and nothing else', async () => {
    await start();
    for (const type of [
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/json;charset="UTF-8"',
    ]) {
      expect((await post(GOOD, { 'content-type': type })).status, type).to.equal(200);
    }
    const others = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=latin1',
      'nonsense',
    ];
    for (const type of [...others, 'multipart/form-data; boundary=x', ';', '']) {
      const { status, reason, message } = await post(GOOD, { 'content-type': type });
      expect([status, reason], type).to.deep.equal([415, 'UNSUPPORTED_MEDIA_TYPE']);
      expect(message).to.not.equal('');
    }
    expect((await post(GOOD, { 'content-encoding': 'gzip' })).reason).to.equal('UNSUPPORTED_MEDIA_TYPE');
  });

  it('says that a route does not exist, in the form of every error', async () => {
    await start();
    for (const path of [
      '/',
      '/v1',
      '/v1/collections/a/records:nope',
      '/v1/collections/',
      '/V1/limits',
      '/favicon.ico',
    ]) {
      const { status, reason } = await post(GOOD, {}, path);
      expect([status, reason], path).to.deep.equal([404, 'METHOD_NOT_FOUND']);
    }
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      expect(understand(await send(server.url, PATH, { method })).reason, method).to.equal(
        'METHOD_NOT_FOUND',
      );
    }
  });

  it('refuses an address that cannot be read', async () => {
    await start();
    for (const id of ['%', '%zz', '%C3', '%00%']) {
      const path = `/v1/collections/words/records/${id}`;
      const answer = understand(await send(server.url, path, { headers: { authorization } }));
      expect([answer.status, answer.reason], id).to.deep.equal([400, 'INVALID_ARGUMENT']);
    }
  });

  it('hands over ids as they are, however they must be written in an address', async () => {
    const seen: string[] = [];
    await start({
      getRecord: async (_context, { id }) => {
        seen.push(id);
        return { id, attributes: new Map() };
      },
    });
    const ids = [
      'a/b',
      '../../etc',
      '..',
      '%41',
      'a?b#c',
      'ü'.repeat(256),
      '\u{1F600}'.repeat(128),
      'a+b',
      ' ',
      ':x',
    ];
    for (const id of ids) {
      const path = `/v1/collections/words/records/${encodeURIComponent(id)}`;
      const answer = understand(await send(server.url, path, { headers: { authorization } }));
      expect(answer.status, `${id}: ${answer.message}`).to.equal(200);
    }
    expect(seen).to.deep.equal(ids);
  });

  it('reads lists and switches from the query string, and knows no others', async () => {
    const seen: unknown[] = [];
    await start({
      getRecord: async (_context, { select, includeVectors, consistency }) => {
        seen.push([select, includeVectors, consistency]);
        return { id: 'a', attributes: new Map() };
      },
    });
    const get = async (query: string): Promise<Answer> =>
      understand(
        await send(server.url, `/v1/collections/words/records/a?${query}`, { headers: { authorization } }),
      );
    expect((await get('select=x&select=y&includeVectors=true&consistency=strong')).status).to.equal(200);
    expect(seen).to.deep.equal([[['x', 'y'], true, 'strong']]);
    expect(await get('includeVector=true')).to.deep.include({
      reason: 'UNKNOWN_FIELD',
      fields: ['includeVector'],
    });
    expect(await get('includeVectors=yes')).to.deep.include({
      reason: 'INVALID_ARGUMENT',
      fields: ['includeVectors'],
    });
    expect((await get('__proto__=1')).reason).to.equal('UNKNOWN_FIELD');
  });

  describe('refuses a JSON body', () => {
    const MALFORMED: readonly [string, string | Uint8Array][] = [
      ['that is empty', ''],
      ['that is cut off', '{"vector":[1,'],
      ['that goes on after its end', '{"vector":[1,2]} {}'],
      ['that is not an object', '[1,2]'],
      ['that is null', 'null'],
      ['that is text', '"vector"'],
      ['that is no JSON', 'vector=1'],
      ['with a comment', '{"vector":[1,2]/* */}'],
      ['with NaN', '{"vector":[NaN]}'],
      ['that is not UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
      ['with a byte order mark alone', '\ufeff'],
      ['nested 65 levels deep', '['.repeat(65)],
      ['nested a million levels deep', '['.repeat(1_000_000)],
      ['nested deep in objects', '{"filter":'.repeat(100_000)],
      ['nested deep behind text with brackets', `{"a":"]]]]]]\\"","b":${'['.repeat(70)}`],
    ];
    for (const [what, body] of MALFORMED) {
      it(what, async () => {
        await start();
        const { status, reason } = await post(body);
        expect([status, reason]).to.deep.equal([400, 'MALFORMED_BODY']);
        expect((await post(GOOD)).status, 'the next request').to.equal(200);
      });
    }

    const WRONG: readonly [string, string, string, string][] = [
      ['with a field that does not exist', '{"vector":[1],"topk":3}', 'UNKNOWN_FIELD', 'topk'],
      ['with __proto__', '{"vector":[1],"__proto__":{"topK":3}}', 'UNKNOWN_FIELD', '__proto__'],
      ['with constructor', '{"vector":[1],"constructor":1}', 'UNKNOWN_FIELD', 'constructor'],
      ['with a number beyond all numbers', '{"vector":[1e999]}', 'INVALID_VECTOR', 'vector[0]'],
      ['with a number beyond 32 bits', '{"vector":[1,1e39]}', 'INVALID_VECTOR', 'vector[1]'],
      ['with text in a vector', '{"vector":["1"]}', 'INVALID_VECTOR', 'vector[0]'],
      ['with text for a number', '{"vector":[1],"topK":"3"}', 'INVALID_ARGUMENT', 'topK'],
      ['with a fraction for a whole number', '{"vector":[1],"topK":1.5}', 'INVALID_ARGUMENT', 'topK'],
      ['with a negative number', '{"vector":[1],"topK":-1}', 'INVALID_ARGUMENT', 'topK'],
      ['with a huge number', `{"vector":[1],"topK":${'9'.repeat(10_000)}}`, 'INVALID_ARGUMENT', 'topK'],
      ['with base64 that is none', '{"vector":"*"}', 'INVALID_VECTOR', 'vector'],
      [
        'with another collection than the path',
        '{"vector":[1],"collection":"other"}',
        'INVALID_ARGUMENT',
        'collection',
      ],
      [
        'with an operator that does not exist',
        '{"vector":[1],"filter":{"a":{"$gte ":1}}}',
        'UNKNOWN_OPERATOR',
        '',
      ],
      [
        'with a whole number that lost digits',
        '{"vector":[1],"filter":{"a":9007199254740993}}',
        'INTEGER_PRECISION_LOSS',
        '',
      ],
    ];
    for (const [what, body, expected, field] of WRONG) {
      it(what, async () => {
        await start();
        const { status, reason, fields } = await post(body);
        expect([status, reason]).to.deep.equal([400, expected]);
        if (field !== '') expect(fields).to.deep.equal([field]);
        expect(({} as Record<string, unknown>)['topK'], 'the prototype of objects').to.equal(undefined);
      });
    }
  });

  describe('refuses a protobuf body', () => {
    const whole = METHODS.query.request.encode(METHODS.query.request.fromJson({ vector: [1, 2], topK: 3 }));
    const MALFORMED: readonly [string, Uint8Array][] = [
      ['with a tag of zero', Uint8Array.from([0, 8, 1])],
      ['that is JSON', new TextEncoder().encode(GOOD)],
      ['with a length beyond its end', Uint8Array.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
      ['with a group that does not end', Uint8Array.from([0x0b, 0x08, 0x01])],
      ['with a varint that does not end', new Uint8Array(20).fill(0xff)],
    ];
    for (const [what, body] of MALFORMED) {
      it(what, async () => {
        await start();
        const { status, reason } = await post(body, { 'content-type': PROTOBUF, accept: 'application/json' });
        expect([status, reason]).to.deep.equal([400, 'MALFORMED_BODY']);
      });
    }

    it('cut off at any byte, or finds something missing in it', async () => {
      await start();
      for (let length = 0; length < whole.length; length++) {
        const headers = { 'content-type': PROTOBUF, accept: 'application/json' };
        const { status, reason } = await post(whole.subarray(0, length), headers);
        if (status === 200) continue;
        expect([status, reason], `${length} bytes`).to.be.deep.oneOf([
          [400, 'MALFORMED_BODY'],
          [400, 'INVALID_VECTOR'],
        ]);
      }
      expect((await post(whole, { 'content-type': PROTOBUF })).status).to.equal(200);
    });
  });

  it('refuses a body that is too large, announced or not, and goes on', async () => {
    await start({}, { jsonBodyBytes: 100_000 });
    const large = JSON.stringify({ vector: [1, 2], sessionToken: 'x'.repeat(200_000) });
    expect(await post(large)).to.include({ status: 413, reason: 'MESSAGE_TOO_LARGE' });
    expect(await post(large, { 'transfer-encoding': 'chunked' })).to.include({
      status: 413,
      reason: 'MESSAGE_TOO_LARGE',
    });
    expect((await post(GOOD)).status).to.equal(200);
  });

  it('looks at the credentials before it reads the body', async () => {
    await start();
    const headers = { authorization: '', 'content-length': '1000000' };
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(`POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`);
    socket.write(`content-length: ${headers['content-length']}\r\n\r\n`);
    const answer = await firstBytes(socket);
    socket.destroy();
    expect(answer)
      .to.match(/^HTTP\/1.1 401 /)
      .and.include('MISSING_CREDENTIALS');
  });

  it('refuses a time-out that is none', async () => {
    await start();
    for (const value of ['0', '-1', '1.5', 'soon', '99999999999', '']) {
      const { status, reason, fields } = understand(
        await send(server.url, PATH, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization, 'omendb-timeout-ms': value },
          body: GOOD,
        }),
      );
      expect([status, reason, fields], value).to.deep.equal([400, 'INVALID_ARGUMENT', ['omendb-timeout-ms']]);
    }
  });

  it('ends connections whose request comes too slowly, and answers why', async () => {
    await start({}, { receiveTimeoutMs: 300 });
    const slow = ['POST ', `POST ${PATH} HTTP/1.1\r\nhost: x\r\nx-slow: `];
    for (const beginning of slow) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.write(beginning);
      expect(await firstBytes(socket))
        .to.match(/^HTTP\/1.1 408 /)
        .and.include('DEADLINE_EXCEEDED');
      socket.destroy();
    }
    const body = connect(Number(new URL(server.url).port), '127.0.0.1');
    body.write(`POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n`);
    body.write('content-type: application/json\r\ncontent-length: 100\r\n\r\n{"vector"');
    expect(await firstBytes(body)).to.match(/^HTTP\/1.1 408 /);
    body.destroy();
    expect((await post(GOOD)).status).to.equal(200);
  });

  it('answers what is not HTTP, and headers that are too large', async () => {
    await start();
    const large = `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
    for (const [sent, line] of [
      ['\x16\x03\x01\x02\x00', '400'],
      ['NONSENSE\r\n\r\n', '400'],
      [large, '431'],
    ] as const) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.write(sent);
      expect(await firstBytes(socket))
        .to.match(new RegExp(`^HTTP/1.1 ${line} `))
        .and.include('"reason"');
      socket.destroy();
    }
  });

  it('asks for credentials in the way of HTTP', async () => {
    await start();
    const { headers } = await send(server.url, PATH, { method: 'POST' });
    expect(headers['www-authenticate']).to.equal('Bearer');
    expect(headers['x-request-id']).to.be.a('string');
  });
});

function firstBytes(socket: ReturnType<typeof connect>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('}]}}')) resolve(text);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      resolve(text);
    });
  });
}
