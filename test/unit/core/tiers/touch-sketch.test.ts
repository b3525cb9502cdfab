import { expect } from 'chai';
import fc from 'fast-check';
import { hash64 } from '#server/core/bytes/hash64.js';
import type { Hash64 } from '#server/core/bytes/hash64.js';
import { TouchSketch } from '#server/core/tiers/touch-sketch.js';

const SEED = Number(process.env['SEED'] ?? 20_261_124);
const HOUR_MS = 3600 * 1000;
const key = (n: number): Hash64 => hash64(new TextEncoder().encode(`key ${n}`));

describe('The sketch of touches', () => {
  it('never says less than the touches since counts were last halved, up to 16', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 400 }), (touched) => {
        const sketch = new TouchSketch({ keysExpected: 64 });
        const counts = new Map<number, number>();
        for (const n of touched) {
          const count = Math.min(16, (counts.get(n) ?? 0) + 1);
          counts.set(n, count);
          expect(sketch.touch(key(n), 0)).to.be.at.least(count);
        }
        for (const [n, count] of counts) expect(sketch.estimate(key(n), 0)).to.be.at.least(count);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('seldom takes a first touch for a second, and counts few touches right', () => {
    const sketch = new TouchSketch({ keysExpected: 10_000 });
    let wrong = 0;
    for (let n = 0; n < 10_000; n++) if (sketch.touch(key(n), 0) > 1) wrong++;
    expect(wrong).to.be.below(300);
    for (let n = 0; n < 100; n++) for (let more = 0; more < 3; more++) sketch.touch(key(n), 0);
    let over = 0;
    for (let n = 0; n < 100; n++) if (sketch.estimate(key(n), 0) > 4) over++;
    expect(over).to.be.below(10);
  });

  it('knows a touch for half a day at least, and for a day at most', () => {
    for (const [hours, known] of [
      [11.9, true],
      [13, true],
      [24.1, false],
      [24 * 365, false],
    ] as const) {
      const sketch = new TouchSketch({ keysExpected: 100 });
      sketch.touch(key(1), 0);
      // Other keys are touched every hour.
      for (let hour = 1; hour < Math.min(hours, 100); hour++) sketch.touch(key(1000 + hour), hour * HOUR_MS);
      expect(sketch.touch(key(1), hours * HOUR_MS) > 1, `after ${hours} hours`).to.equal(known);
    }
  });

  it('halves what it has counted as time passes', () => {
    const sketch = new TouchSketch({ keysExpected: 100 });
    for (let n = 0; n < 17; n++) sketch.touch(key(1), 0);
    expect(sketch.estimate(key(1), 0)).to.equal(16);
    expect(sketch.estimate(key(1), 13 * HOUR_MS)).to.equal(8);
    expect(sketch.estimate(key(1), 26 * HOUR_MS)).to.equal(3);
    expect(sketch.estimate(key(1), 400 * HOUR_MS)).to.equal(0);
  });

  it('goes on when the clock is set back, and when keys are without number', () => {
    const sketch = new TouchSketch({ keysExpected: 64 });
    sketch.touch(key(1), 100 * HOUR_MS);
    expect(sketch.touch(key(1), 0)).to.equal(2);
    let wrong = 0;
    for (let n = 100; n < 20_100; n++) if (sketch.touch(key(n), 0) > 1) wrong++;
    expect(wrong).to.be.below(1500);
    expect(sketch.bytes).to.be.at.most(64 * 4);
  });
});
