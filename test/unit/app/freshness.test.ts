import { expect } from 'chai';
import { Freshness } from '#server/app/collections/freshness.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('A read that may be a little old', () => {
  it('does not make do with a look that began too long ago', async () => {
    const clock = new FakeClock();
    const looks: (() => void)[] = [];
    const log = {
      verifiedMs: -Infinity,
      verify: async (): Promise<void> => {
        const beganMs = clock.monotonic();
        await new Promise<void>((resolve) => looks.push(resolve));
        log.verifiedMs = beganMs;
      },
    };
    const freshness = new Freshness({ clock, alone: false, stalenessMs: 5000, failed: () => undefined, log });
    const first = freshness.recent();
    clock.advance(1000);
    const shares = freshness.recent();
    clock.advance(9000);
    let seen = -Infinity;
    const late = freshness.recent().then(() => (seen = log.verifiedMs));
    looks[0]?.();
    await first;
    await shares;
    expect(looks).to.have.length(2);
    looks[1]?.();
    await late;
    expect(seen).to.equal(10_000);
  });
});
