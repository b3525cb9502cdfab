import { expect } from 'chai';
import type { GetOutcome, ObjectStore } from '#server/ports/object-store.js';
import { SeededRng } from '../support/seeded-rng.js';

/** A fresh store, and how to get rid of it. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** Begins every key, so that stores that outlive a test can be shared. */
  readonly prefix?: string;
  /** Longest part of a key that the store's disk can hold; 512 bytes unless given. */
  readonly partBytesMax?: number;
  readonly dispose?: () => Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function bodyOf(got: GetOutcome): string {
  return got.kind === 'found' ? new TextDecoder().decode(got.body) : got.kind;
}

/**
 * What every implementation of the port must do. A new one is one line: `describeObjectStore('s3', () => …)`.
 */
export function describeObjectStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`ObjectStore contract: ${name}`, () => {
    let tested: StoreUnderTest;
    let store: ObjectStore;
    let nonces = 0;
    const nonce = (): string => (++nonces).toString(16).padStart(32, '0');
    const key = (rest: string): string => `${tested.prefix ?? ''}${rest}`;

    beforeEach(async () => {
      tested = await open();
      store = tested.store;
    });
    afterEach(async () => {
      await store.close();
      await tested.dispose?.();
    });

    it('gives back what was put, with its size and etag', async () => {
      const put = await store.putIfAbsent(key('a/b'), text('hello'), nonce());
      const got = await store.get(key('a/b'));
      expect(bodyOf(got)).to.equal('hello');
      expect(put.kind === 'created' && got.kind === 'found' && got.etag === put.etag && got.size).to.equal(5);
    });

    it('keeps empty objects and objects of several MiB', async () => {
      const large = new SeededRng(1).bytes(3 * 1024 * 1024 + 17);
      await store.putIfAbsent(key('empty'), new Uint8Array(), nonce());
      await store.putIfAbsent(key('large'), large, nonce());
      const [empty, got] = [await store.get(key('empty')), await store.get(key('large'))];
      expect(empty.kind === 'found' && [empty.body.length, empty.size]).to.deep.equal([0, 0]);
      expect(got.kind === 'found' && Buffer.compare(got.body, large)).to.equal(0);
    });

    it('says that a key is absent', async () => {
      expect(await store.get(key('none'))).to.deep.equal({ kind: 'absent' });
      expect(
        await store.get(key('none'), { ifNoneMatch: 'x', range: { offset: 0, length: 1 } }),
      ).to.deep.equal({
        kind: 'absent',
      });
    });

    it('does not put over an object, whoever wrote it', async () => {
      await store.putIfAbsent(key('k'), text('first'), nonce());
      expect((await store.putIfAbsent(key('k'), text('second'), nonce())).kind).to.equal('exists');
      expect(bodyOf(await store.get(key('k')))).to.equal('first');
    });

    it('recognises its own earlier put by the nonce', async () => {
      const own = nonce();
      const first = await store.putIfAbsent(key('k'), text('v'), own);
      expect(await store.putIfAbsent(key('k'), text('v'), own)).to.deep.equal(first);
    });

    it('swaps only on the current etag, and a new key only on none', async () => {
      expect((await store.compareAndSwap(key('r'), text('0'), 'no-such-etag', nonce())).kind).to.equal(
        'conflict',
      );
      const first = await store.compareAndSwap(key('r'), text('1'), null, nonce());
      expect((await store.compareAndSwap(key('r'), text('x'), null, nonce())).kind).to.equal('conflict');
      const etag = first.kind === 'swapped' ? first.etag : '';
      const second = await store.compareAndSwap(key('r'), text('2'), etag, nonce());
      expect((await store.compareAndSwap(key('r'), text('x'), etag, nonce())).kind).to.equal('conflict');
      const got = await store.get(key('r'));
      expect(bodyOf(got)).to.equal('2');
      expect(got.kind === 'found' && second.kind === 'swapped' && got.etag === second.etag).to.equal(true);
    });

    it('recognises its own earlier swap by the nonce, as long as nobody swapped after it', async () => {
      const [own, other] = [nonce(), nonce()];
      const first = await store.compareAndSwap(key('r'), text('1'), null, own);
      expect(await store.compareAndSwap(key('r'), text('1'), null, own)).to.deep.equal(first);
      await store.compareAndSwap(key('r'), text('2'), first.kind === 'swapped' ? first.etag : '', other);
      expect((await store.compareAndSwap(key('r'), text('1'), null, own)).kind).to.equal('conflict');
    });

    it('swaps an object that was put, and does not put over one that was swapped', async () => {
      const put = await store.putIfAbsent(key('m'), text('put'), nonce());
      const swap = await store.compareAndSwap(
        key('m'),
        text('swapped'),
        put.kind === 'created' ? put.etag : '',
        nonce(),
      );
      expect(swap.kind).to.equal('swapped');
      expect(bodyOf(await store.get(key('m')))).to.equal('swapped');
      expect((await store.putIfAbsent(key('m'), text('again'), nonce())).kind).to.equal('exists');
      expect((await store.list(key(''))).map((object) => object.key)).to.deep.equal([key('m')]);
    });

    it('reads ranges, cut at the end of the object', async () => {
      await store.putIfAbsent(key('k'), text('0123456789'), nonce());
      const range = async (offset: number, length: number): Promise<string> =>
        bodyOf(await store.get(key('k'), { range: { offset, length } }));
      expect(await range(2, 3)).to.equal('234');
      expect(await range(8, 100)).to.equal('89');
      expect(await range(10, 5)).to.equal('');
      expect(await range(50, 5)).to.equal('');
      const got = await store.get(key('k'), { range: { offset: 2, length: 3 } });
      expect(got.kind === 'found' && got.size).to.equal(10);
    });

    it('reads into memory that is handed in, shared memory too', async () => {
      await store.putIfAbsent(key('k'), text('0123456789'), nonce());
      const into = new Uint8Array(new SharedArrayBuffer(16));
      const got = await store.get(key('k'), { into });
      expect(got.kind === 'found' && got.body.length).to.equal(10);
      expect(got.kind === 'found' && got.body.buffer).to.equal(into.buffer);
      await store.get(key('k'), { into, range: { offset: 8, length: 2 } });
      expect(Buffer.from(into.slice(0, 10)).toString()).to.equal('8923456789');
    });

    it('answers "unchanged" without a body', async () => {
      const put = await store.compareAndSwap(key('r'), text('1'), null, nonce());
      const etag = put.kind === 'swapped' ? put.etag : '';
      expect(await store.get(key('r'), { ifNoneMatch: etag })).to.deep.equal({ kind: 'unchanged' });
      await store.compareAndSwap(key('r'), text('2'), etag, nonce());
      expect(bodyOf(await store.get(key('r'), { ifNoneMatch: etag }))).to.equal('2');
    });

    it('forgets a deleted object, and takes the key again', async () => {
      const first = await store.compareAndSwap(key('d/r'), text('1'), null, nonce());
      await store.putIfAbsent(key('d/k'), text('1'), nonce());
      for (const name of ['d/r', 'd/k', 'd/none']) await store.delete(key(name));
      expect((await store.get(key('d/r'))).kind).to.equal('absent');
      expect(await store.list(key('d/'))).to.deep.equal([]);
      expect((await store.putIfAbsent(key('d/k'), text('2'), nonce())).kind).to.equal('created');
      const again = await store.compareAndSwap(key('d/r'), text('2'), null, nonce());
      expect(again.kind).to.equal('swapped');
      // An etag never comes back, or a swap could win on an object that only looks like the old one.
      expect(again.kind === 'swapped' && first.kind === 'swapped' && again.etag === first.etag).to.equal(
        false,
      );
    });

    it('lists in the order of UTF-8 bytes, by prefix and behind a key', async () => {
      const names = [
        'b',
        'a-b',
        'a/x',
        'a/y/z',
        'a.b',
        'aa',
        'A',
        'a0',
        'ü',
        '\u{1f600}',
        '\uffee',
        'a%2f',
        'a@b',
        'a~b',
      ];
      for (const name of names) await store.putIfAbsent(key(name), text(name), nonce());
      const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const listed = await store.list(key(''));
      expect(listed.map((object) => object.key)).to.deep.equal(sorted.map(key));
      expect(listed.map(({ size }) => size)).to.deep.equal(sorted.map((name) => Buffer.byteLength(name)));
      const below = await store.list(key('a/'));
      expect(below.map((object) => object.key)).to.deep.equal(['a/x', 'a/y/z'].map(key));
      const after = await store.list(key('a'), key('a/x'));
      expect(after[0]?.key).to.equal(key('a/y/z'));
      expect(await store.list(key('zz'))).to.deep.equal([]);
    });

    it('scenario 26: lists 1 000 keys a page and the rest on the next', async function () {
      this.timeout(60_000);
      const count = 1003;
      const name = (index: number): string => key(`p/${String(index).padStart(5, '0')}`);
      for (let from = 0; from < count; from += 17) {
        const group = Array.from({ length: Math.min(17, count - from) }, (_, index) => from + index);
        await Promise.all(group.map((index) => store.putIfAbsent(name(index), text('x'), nonce())));
      }
      const first = await store.list(key('p/'));
      const second = await store.list(key('p/'), first.at(-1)?.key);
      expect(first.map((object) => object.key)).to.deep.equal(
        Array.from({ length: 1000 }, (_, index) => name(index)),
      );
      expect(second.map((object) => object.key)).to.deep.equal([1000, 1001, 1002].map(name));
      expect(await store.list(key('p/'), second.at(-1)?.key)).to.deep.equal([]);
    });

    it('keeps keys apart that a file system might confuse', async () => {
      const names = [
        'x/..a',
        'x/.b',
        'x/A',
        'x/a',
        'x/con',
        'x/%41',
        'x/ ',
        'x/\\',
        'x/é',
        'x/e\u0301',
        'x/a\nb',
        `x/${'L'.repeat(Math.min(480, tested.partBytesMax ?? 480))}`,
      ];
      for (const name of names) await store.putIfAbsent(key(name), text(name), nonce());
      for (const name of names) expect(bodyOf(await store.get(key(name)))).to.equal(name);
      expect((await store.list(key('x/'))).length).to.equal(names.length);
    });

    it('has one winner among concurrent creates and swaps', async () => {
      for (let round = 0; round < 5; round++) {
        const creates = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            store.putIfAbsent(key(`race/${round}`), text(String(index)), nonce()),
          ),
        );
        expect(creates.filter(({ kind }) => kind === 'created').length).to.equal(1);
        const winner = creates.findIndex(({ kind }) => kind === 'created');
        expect(bodyOf(await store.get(key(`race/${round}`)))).to.equal(String(winner));
      }
      const first = await store.compareAndSwap(key('swap'), text('0'), null, nonce());
      let etag = first.kind === 'swapped' ? first.etag : '';
      for (let round = 0; round < 5; round++) {
        const swaps = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            store.compareAndSwap(key('swap'), text(`${round}-${index}`), etag, nonce()),
          ),
        );
        const winners = swaps.filter(({ kind }) => kind === 'swapped');
        expect(winners.length).to.equal(1);
        etag = winners[0]?.kind === 'swapped' ? winners[0].etag : '';
      }
    });

    it('loses no increment of a counter under concurrent writers', async () => {
      const increment = async (): Promise<void> => {
        for (;;) {
          const got = await store.get(key('counter'));
          const value = got.kind === 'found' ? Number(bodyOf(got)) : 0;
          const etag = got.kind === 'found' ? got.etag : null;
          const swap = await store.compareAndSwap(key('counter'), text(String(value + 1)), etag, nonce());
          if (swap.kind === 'swapped') return;
        }
      };
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          for (let i = 0; i < 5; i++) await increment();
        }),
      );
      expect(bodyOf(await store.get(key('counter')))).to.equal('20');
    });
  });
}
