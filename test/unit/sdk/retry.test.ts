import { expect } from 'chai';
import { OmenClient, OmenError } from '#sdk/index.js';
import type { ClientOptions } from '#sdk/index.js';
import { RetryBudget, retryDelayMs } from '#sdk/call/retry.js';
import { errorFor } from '#sdk/errors.js';
import { answer, refuse, RESET, SILENCE, startScriptedServer } from '../../support/scripted-server.js';
import type { Script, ScriptedServer } from '../../support/scripted-server.js';
import { fakeRuntime } from '../../support/fake-runtime.js';
import type { FakeRuntime } from '../../support/fake-runtime.js';

const COUNT = answer('countRecords', { count: 7n, sequenceNumber: 0n, sessionToken: '' });
const UPSERTED = answer('upsertRecords', {
  inserted: 1,
  updated: 0,
  sequenceNumber: 3n,
  sessionToken: 's.3',
});
const OVERLOADED = refuse(503, 'UNAVAILABLE', 'OVERLOADED');

describe('A call of the client', () => {
  let server: ScriptedServer | undefined;
  let db: OmenClient;
  let runtime: FakeRuntime;

  const start = async (script: Script, options: ClientOptions = {}): Promise<ScriptedServer> => {
    server = await startScriptedServer(script);
    runtime = fakeRuntime();
    db = new OmenClient({ endpoint: server.url, token: 'secret', runtime, ...options });
    return server;
  };

  afterEach(async () => {
    await db.close({ graceMs: 0 });
    await server?.close();
  });

  it('is repeated until the server takes it', async () => {
    const { calls } = await start((_call, i) => (i < 3 ? OVERLOADED : COUNT));
    expect(await db.collection('c').count()).to.equal(7);
    expect(calls).to.have.length(4);
    expect(runtime.waits).to.deep.equal([25, 50, 100]);
  });

  it('is sent five times at most and then fails with what the server said', async () => {
    const { calls } = await start(() => OVERLOADED);
    const error = await rejection(db.collection('c').count());
    expect(calls).to.have.length(5);
    expect(error).to.include({
      code: 'UNAVAILABLE',
      reason: 'OVERLOADED',
      status: 503,
      attempts: 5,
      retryable: true,
    });
    expect(error.message).to.equal('refused with OVERLOADED');
    expect(error.metadata).to.deep.equal({ seen: 'yes' });
  });

  it('waits at least as long as the server asks, from RetryInfo or Retry-After', async () => {
    await start(
      (_call, i) => {
        if (i === 0) return refuse(429, 'RESOURCE_EXHAUSTED', 'RATE_LIMITED', { retryDelay: '1.5s' });
        if (i === 1)
          return refuse(429, 'RESOURCE_EXHAUSTED', 'RATE_LIMITED', { headers: { 'retry-after': '30' } });
        return COUNT;
      },
      { timeoutMs: 60_000 },
    );
    await db.collection('c').count();
    expect(runtime.waits).to.deep.equal([1525, 30_050]);
  });

  it('is not repeated when the wait would be longer than the time that is left', async () => {
    const { calls } = await start(() =>
      refuse(429, 'RESOURCE_EXHAUSTED', 'RATE_LIMITED', { retryDelay: '100s' }),
    );
    const error = await rejection(db.collection('c').count({}, { timeoutMs: 10_000 }));
    expect(error).to.include({ reason: 'RATE_LIMITED', attempts: 1, retryAfterMs: 100_000 });
    expect(calls).to.have.length(1);
  });

  it('survives a connection that is reset', async () => {
    const { calls } = await start((_call, i) => (i === 0 ? RESET : COUNT));
    expect(await db.collection('c').count()).to.equal(7);
    expect(calls).to.have.length(2);
  });

  it('sends a write again under the same request id when its answer was lost', async () => {
    const { calls } = await start((_call, i) => (i < 2 ? RESET : UPSERTED));
    await db.collection('c').upsert([{ id: 'a', vector: [1] }]);
    expect(calls.map(({ message }) => message['requestId'])).to.deep.equal(['id-1', 'id-1', 'id-1']);
  });

  it('uses the request id that the caller gives', async () => {
    const { calls } = await start(() => UPSERTED);
    const result = await db.collection('c').upsert([{ id: 'a', vector: [1] }], { requestId: 'mine' });
    expect(calls[0]?.message['requestId']).to.equal('mine');
    expect(calls[0]?.headers['x-request-id']).to.equal('mine');
    expect(result.requestId).to.equal('mine');
  });

  it('tells the server how much of the time is left', async () => {
    const { calls } = await start((_call, i) => (i < 2 ? OVERLOADED : COUNT));
    await db.collection('c').count({}, { timeoutMs: 1000 });
    expect(calls.map(({ headers }) => headers['omendb-timeout-ms'])).to.deep.equal(['1000', '975', '925']);
  });

  it('fails with a time-out, keeping the native error as cause, when no answer comes', async () => {
    await start(() => SILENCE);
    const error = await rejection(db.collection('c').count({}, { timeoutMs: 20, retry: false }));
    expect(error).to.include({ code: 'DEADLINE_EXCEEDED', reason: 'TIMEOUT', attempts: 1 });
    expect(error.cause).to.be.instanceOf(DOMException).and.include({ name: 'TimeoutError' });
  });

  it("ends at once when its signal fires, with the signal's reason as cause", async () => {
    const controller = new AbortController();
    const why = new Error('the user left');
    const { calls } = await start(() => {
      controller.abort(why);
      return SILENCE;
    });
    const error = await rejection(db.collection('c').count({}, { signal: controller.signal }));
    expect(error).to.include({ code: 'CANCELLED', reason: 'ABORTED' });
    expect(error.cause).to.equal(why);
    expect(calls).to.have.length(1);
  });

  it('is not sent when its signal has fired before', async () => {
    const { calls } = await start(() => COUNT);
    const error = await rejection(db.collection('c').count({}, { signal: AbortSignal.abort() }));
    expect(error).to.include({ reason: 'ABORTED' });
    expect(error.cause).to.include({ name: 'AbortError' });
    expect(calls).to.have.length(0);
  });

  it('ends while it waits to be repeated when its signal fires', async () => {
    const controller = new AbortController();
    await start(() => OVERLOADED, {
      logger: { warn: () => controller.abort() },
    });
    const error = await rejection(db.collection('c').count({}, { signal: controller.signal }));
    expect(error).to.include({ reason: 'ABORTED', attempts: 1 });
  });

  it('may share its signal with many others without a warning', async () => {
    const { signal } = new AbortController();
    await start(() => COUNT);
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', onWarning);
    await Promise.all(Array.from({ length: 40 }, () => db.collection('c').count({}, { signal })));
    process.off('warning', onWarning);
    expect(warnings).to.deep.equal([]);
  });

  it('may have a request id that no header can hold', async () => {
    const { calls } = await start(() => UPSERTED);
    await db.collection('c').upsert([{ id: 'a', vector: [1] }], { requestId: 'заказ 7\n' });
    expect(calls[0]?.message['requestId']).to.equal('заказ 7\n');
    expect(calls[0]?.headers).to.not.have.property('x-request-id');
  });

  it("is not repeated when the fault is the caller's", async () => {
    const { calls } = await start(() => refuse(400, 'INVALID_ARGUMENT', 'INVALID_FILTER'));
    const error = await rejection(db.collection('c').count());
    expect(error).to.include({ name: 'InvalidArgumentError', attempts: 1, retryable: false });
    expect(calls).to.have.length(1);
  });

  it('is not repeated when repetition is switched off', async () => {
    const { calls } = await start(() => OVERLOADED, { retry: false });
    await rejection(db.collection('c').count());
    expect(calls).to.have.length(1);
  });

  it('asks for a new token once when the server says that the old one has expired', async () => {
    let asked = 0;
    const { calls } = await start(
      ({ headers }) =>
        headers.authorization === 'Bearer t2' ? COUNT : refuse(401, 'UNAUTHENTICATED', 'TOKEN_EXPIRED'),
      { token: undefined, tokenProvider: () => `t${(asked += 1)}` },
    );
    const counts = await Promise.all([db.collection('c').count(), db.collection('c').count()]);
    expect(counts).to.deep.equal([7, 7]);
    expect(asked).to.equal(2);
    expect(calls).to.have.length(4);
  });

  it('keeps connections open and uses them again', async () => {
    const { calls, connections } = await start(() => COUNT);
    for (let i = 0; i < 5; i += 1) await db.collection('c').count();
    expect(calls).to.have.length(5);
    // A connection rests for one turn of the event loop after an answer, so calls in a row alternate between
    // two.
    expect(connections()).to.be.at.most(2);
  });

  it('fails after the client was closed', async () => {
    await start(() => COUNT);
    await db.close();
    const error = await rejection(db.collection('c').count());
    expect(error).to.include({ code: 'CANCELLED', reason: 'CLIENT_CLOSED', retryable: false });
  });
});

describe('The retry budget', () => {
  it('ends repetition for a server that fails every call, and comes back with successes and time', () => {
    const budget = new RetryBudget(0, 3, 0.5, 1);
    expect([1, 2, 3, 4].map(() => budget.take(0))).to.deep.equal([true, true, true, false]);
    budget.succeeded();
    budget.succeeded();
    expect([budget.take(0), budget.take(0)]).to.deep.equal([true, false]);
    expect([budget.take(1000), budget.take(1000)]).to.deep.equal([true, false]);
  });
});

describe('The wait before a repetition', () => {
  const policy = { attempts: 9, initialDelayMs: 100, maxDelayMs: 1000 };
  const error = errorFor('UNAVAILABLE', 'OVERLOADED', 'busy');

  it('is anywhere between zero and a bound that doubles up to its maximum', () => {
    expect([1, 2, 3, 4, 5, 9].map((attempt) => retryDelayMs(policy, attempt, 0.999, error))).to.deep.equal(
      [100, 200, 400, 800, 1000, 1000].map((bound) => bound * 0.999),
    );
    expect(retryDelayMs(policy, 5, 0, error)).to.equal(0);
  });
});

async function rejection(promise: PromiseLike<unknown>): Promise<OmenError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(OmenError);
    return error as OmenError;
  }
  throw new Error('the call did not fail');
}
