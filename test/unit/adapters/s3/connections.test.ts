// Who gets a connection, and that every connection is given back.
import { expect } from 'chai';
import { ConnectionLanes } from '#server/adapters/s3/connection-lanes.js';
import type { Lane } from '#server/adapters/s3/connection-lanes.js';
import type { HttpTransport } from '#server/adapters/s3/http-transport.js';
import type { S3ObjectStore } from '#server/adapters/s3/s3-object-store.js';
import { openS3Store } from '../../../support/s3-store.js';
import { S3Stub } from '../../../support/s3-stub.js';

const nonce = (n: number): string => n.toString(16).padStart(32, '0');

describe('Connection lanes', () => {
  const order: string[] = [];
  let lanes: ConnectionLanes;
  beforeEach(() => {
    order.length = 0;
    lanes = new ConnectionLanes({ total: 8, reserved: 2 });
  });

  async function take(lane: Lane, flow = 'f', count = 1): Promise<(() => void)[]> {
    const taken: (() => void)[] = [];
    for (let i = 0; i < count; i++) {
      void lanes.acquire(lane, flow).then((release) => {
        order.push(flow);
        taken.push(release);
      });
    }
    await settled();
    return taken;
  }

  it('keep some connections for commits whatever else there is to do', async () => {
    expect((await take('interactive', 'f', 100)).length).to.equal(6);
    expect((await take('commit', 'f', 100)).length).to.equal(2);
  });

  it('give bulk transfers half at most, and of these half to what nobody waits for', async () => {
    expect((await take('background', 'f', 100)).length).to.equal(2);
    expect((await take('flush', 'f', 100)).length).to.equal(2);
    expect((await take('interactive', 'f', 100)).length).to.equal(2);
    expect(lanes.active).to.equal(6);
  });

  it('let the more urgent go first', async () => {
    const taken = await take('interactive', 'first', 6);
    await take('background', 'background');
    await take('flush', 'flush');
    await take('interactive', 'query');
    for (const release of taken.splice(0)) release();
    await settled();
    expect(order.slice(6)).to.deep.equal(['query', 'flush', 'background']);
  });

  it('scenario 39: let flows take turns, so that one with a thousand requests holds up nobody', async () => {
    const [release] = await take('interactive', 'a', 6);
    await take('interactive', 'a', 1000);
    await take('interactive', 'b', 2);
    await take('interactive', 'c', 2);
    order.length = 0;
    // Each that starts gives its connection back at once.
    void (async () => {
      for (let i = 0; i < 6; i++) {
        const waiting = lanes.acquire('interactive', 'z');
        release?.();
        (await waiting)();
      }
    })();
    await settled();
    expect(order.indexOf('b')).to.be.lessThan(4);
    expect(order.indexOf('c')).to.be.lessThan(4);
  });

  it('forget who gives up waiting', async () => {
    const taken = await take('interactive', 'f', 6);
    const controller = new AbortController();
    const waiting = lanes.acquire('interactive', 'f', controller.signal);
    controller.abort(new Error('too late'));
    expect(await waiting.catch((error: Error) => error.message)).to.equal('too late');
    for (const release of taken) release();
    expect(lanes.active).to.equal(0);
    expect(lanes.tryAcquire('interactive')).to.not.equal(null);
  });
});

describe('S3 connections', function () {
  this.timeout(30_000);
  let stub: S3Stub;
  let store: S3ObjectStore;

  beforeEach(async () => {
    stub = await S3Stub.start();
    store = await openS3Store(stub.endpoint);
    await store.putIfAbsent('k', new Uint8Array(100_000), nonce(1));
  });

  afterEach(async () => {
    stub.before = null;
    await store.close();
    await stub.stop();
  });

  it('scenario 39: are bounded when 1 000 collections are read at once, and commits still pass', async () => {
    let held = true;
    stub.before = ({ operation }) => (operation === 'get' ? until(() => !held) : undefined);
    const reads = Array.from({ length: 1000 }, (_, at) => store.get(`n/aa/${at}/s/x`));
    await until(() => stub.inWork >= 100);
    const put = await store.putIfAbsent('n/aa/7/w/00000000000000000001', new Uint8Array(10), nonce(2));
    expect(put.kind).to.equal('created');
    held = false;
    await Promise.all(reads);
    expect(stub.inWorkMost).to.be.at.most(128);
    expect(store.active).to.equal(0);
  });

  it('scenario 39: go to collections in turns, behind a prefix too', async () => {
    const sent: string[] = [];
    let held = true;
    const transport: HttpTransport = {
      send: async ({ path }) => {
        sent.push(path);
        await until(() => !held);
        return { status: 404, headers: {}, body: new Uint8Array() };
      },
      close: async () => undefined,
    };
    const shared = await openS3Store(stub.endpoint, { prefix: 'all/servers/of/one/' }, { transport });
    const keys = [...Array.from({ length: 600 }, (_, at) => `n/aa/greedy/s/${at}`), 'n/bb/modest/s/0'];
    const reads = keys.map((key) => shared.get(key));
    await until(() => sent.length >= 100);
    const before = sent.length;
    held = false;
    await Promise.all(reads);
    expect(sent.findIndex((path) => path.includes('modest')) - before).to.be.within(0, 20);
    await shared.close();
  });

  it('scenario 38: are released when a read is given up, at whatever stage it is', async () => {
    const stages = [
      // Waiting for the answer.
      () => stub.fail('hang'),
      // In the middle of the body.
      () => stub.fail('stalled'),
    ];
    for (const prepare of stages) {
      prepare();
      const controller = new AbortController();
      const seen = stub.requests.length;
      const read = store.get('k', { signal: controller.signal });
      await until(() => stub.requests.length > seen);
      controller.abort(new Error('the deadline has passed'));
      expect(await read.catch((error: Error) => error.message)).to.equal('the deadline has passed');
      expect(store.active).to.equal(0);
      await until(() => stub.inWork === 0);
    }
    // Waiting for a connection.
    let held = true;
    stub.before = () => until(() => !held);
    const reads = Array.from({ length: 200 }, () => store.get('k'));
    await until(() => stub.inWork >= 100);
    const controller = new AbortController();
    const waiting = store.get('k', { signal: controller.signal });
    controller.abort(new Error('the deadline has passed'));
    expect(await waiting.catch((error: Error) => error.message)).to.equal('the deadline has passed');
    held = false;
    await Promise.all(reads);
    expect(store.active).to.equal(0);
    // Before it has begun.
    expect(await store.get('k', { signal: AbortSignal.abort(new Error('late')) }).catch(String)).to.match(
      /late/,
    );
  });

  it('are closed with the store, also those of requests under way', async () => {
    stub.fail('hang');
    const read = store.get('k').catch((error: Error) => error.message);
    await until(() => stub.requests.length > 1);
    await store.close();
    expect(await read).to.equal('the object store was closed');
    await until(() => stub.sockets.size === 0);
  });
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('what was waited for did not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
