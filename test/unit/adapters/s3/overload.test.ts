// A store that is out of order for minutes, in fake time.
import { expect } from 'chai';
import type { HttpAnswer, HttpTransport } from '#server/adapters/s3/http-transport.js';
import { backoffMs, STORAGE_RETRY, withRetry } from '#server/app/log/storage-retry.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler } from '../../../support/fake-scheduler.js';
import { SeededRng } from '../../../support/seeded-rng.js';
import { openS3Store } from '../../../support/s3-store.js';

const MINUTES = 60_000;
const ANSWER_MS = 20;
const SLOW_DOWN = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

describe('S3 under overload', function () {
  this.timeout(30_000);

  it('scenario 14: 503 for 5 minutes: every call ends, retries are few, and all is well at once afterwards', async () => {
    const clock = new FakeClock();
    const scheduler = new FakeScheduler(clock, { automatic: true });
    const rng = new SeededRng(14);
    let requests = 0;
    const transport: HttpTransport = {
      send: async (_, { target }) => {
        requests++;
        await scheduler.sleep(ANSWER_MS);
        if (clock.monotonic() < 5 * MINUTES) return answer(503, SLOW_DOWN);
        const good = answer(200, 'x');
        target?.(good.status, good.headers)?.bytes.set(good.body);
        return good;
      },
      close: async () => undefined,
    };
    const store = await openS3Store('http://stub', {}, { clock, scheduler, rng, transport });
    let calls = 0;
    let longestMs = 0;
    // As the application calls it: a few tries more slowly, and then the caller hears of it and comes back.
    const reader = async (name: string): Promise<void> => {
      for (let failures = 0; ;) {
        const startedMs = clock.monotonic();
        try {
          await withRetry({ scheduler, rng, policy: STORAGE_RETRY }, () => {
            calls++;
            return store.get(name);
          });
          return;
        } catch {
          longestMs = Math.max(longestMs, clock.monotonic() - startedMs);
          await scheduler.sleep(
            backoffMs({ rng, policy: { attempts: 1, baseMs: 1000, maxMs: 8000 } }, ++failures),
          );
        }
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, at) => reader(`k${at}`)));
    // The store's own repetitions: what the budget held at first, and no more while nothing succeeds.
    expect(requests - calls).to.be.at.most(50);
    expect(longestMs).to.be.lessThan(10_000);
    expect(clock.monotonic()).to.be.within(5 * MINUTES, 5 * MINUTES + 20_000);
    await store.close();
  });
});

function answer(status: number, body: string): HttpAnswer {
  const bytes = new TextEncoder().encode(body);
  return { status, headers: { etag: '"e"', 'content-length': String(bytes.length) }, body: bytes };
}
