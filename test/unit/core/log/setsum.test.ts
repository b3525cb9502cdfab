import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { violationsOfRoot } from '#server/core/log/invariants.js';
import { Setsum } from '#server/core/log/setsum.js';
import { SampleCollection } from '../../../support/sample-collection.js';
import { SeededRng } from '../../../support/seeded-rng.js';
import { openTestApp } from '../../../support/test-app.js';

const id = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('Setsum', () => {
  it('does not depend on the order, and changes with every element', () => {
    const writes = Array.from({ length: 100 }, (_, index) => [id(`k${index}`), index + 1] as const);
    const sum = (list: typeof writes): string =>
      list.reduce((all, [key, sequence]) => all.add(key, sequence), new Setsum()).toString();
    const whole = sum(writes);
    expect(sum([...writes].reverse())).to.equal(whole);
    const others = writes.map((_, index) => sum(writes.filter((__, other) => other !== index)));
    expect(new Set([...others, whole]).size).to.equal(101);
    expect(sum([...writes, [id('k1'), 2]])).to.not.equal(whole);
    expect(sum([...writes.slice(1), [id('k0'), 2]])).to.not.equal(whole);
  });

  it('adds and subtracts sets', () => {
    const [a, b] = [new Setsum().add(id('a'), 1), new Setsum().add(id('b'), 2 ** 40)];
    const both = new Setsum().add(id('b'), 2 ** 40).add(id('a'), 1);
    expect(a.plus(b).equals(both)).to.equal(true);
    expect(both.minus(a).equals(b)).to.equal(true);
    expect(both.remove(id('b'), 2 ** 40).equals(a)).to.equal(true);
    expect(Setsum.parse(both.toString()).equals(both)).to.equal(true);
    expect(new Setsum().toString()).to.equal('0'.repeat(32));
  });
});

describe('The books of a collection', () => {
  it('balance through random writes, folds and merges, and would not without a row', async () => {
    const app = await openTestApp(new MemoryObjectStore());
    const words = await SampleCollection.create(app, 'words');
    const rng = new SeededRng(7);
    for (let step = 0; step < 120; step++) {
      if (rng.chance(0.7)) await words.put(`k${rng.below(20)}`, step);
      else await words.remove(`k${rng.below(20)}`);
      if (rng.chance(0.2)) await words.flush();
      if (rng.chance(0.05)) await words.settle();
    }
    await words.settle();
    const { root } = await words.open();
    expect(root.books?.logged).to.not.equal('0'.repeat(32));
    expect(root.books?.pruned).to.not.equal('0'.repeat(32));
    expect(violationsOfRoot(root)).to.deep.equal([]);
    const [first, ...rest] = root.segments;
    const lost = violationsOfRoot({ ...root, segments: rest });
    expect(lost.map(({ invariant }) => invariant)).to.include(
      'the books balance: what was logged is live or pruned',
    );
    if (first === undefined) throw new Error('there is no segment');
    const twice = violationsOfRoot({ ...root, segments: [...root.segments, { ...first, key: 's/other-0' }] });
    expect(twice.length).to.equal(1);
    await app.close();
  });
});
