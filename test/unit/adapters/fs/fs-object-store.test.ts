import { expect } from 'chai';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FsObjectStore } from '#server/adapters/fs/fs-object-store.js';
import { partOfName, pathOfKey } from '#server/adapters/fs/key-path.js';
import { OmenError } from '#server/core/errors.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import fc from 'fast-check';
import { bodyOf } from '../../../contract/object-store.js';
import type { FileCall } from '../../../support/faulty-file-system.js';
import { FaultyFileSystem } from '../../../support/faulty-file-system.js';
import { withTemporaryFolder } from '../../../support/temporary-folder.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const nonce = (n: number): string => n.toString(16).padStart(32, '0');

async function errorOf(promise: Promise<unknown>): Promise<OmenError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof OmenError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** All files below a folder. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('File names of keys', () => {
  it('stay below the folder, fit a file system, and lead back to the key', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((p) => !p.includes('/'));
    const hostile = fc.constantFrom(
      '.',
      '..',
      '...',
      '~',
      '@',
      'a@',
      'a~',
      '%',
      '%2e',
      '\\',
      '\0',
      'CON',
      '-rf',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(part, hostile), { minLength: 1, maxLength: 3 }), (parts) => {
        const key = parts.join('/');
        fc.pre(Buffer.byteLength(key) <= 512);
        const names = pathOfKey(key).split('/');
        for (const name of names) expect(name).to.match(/^[a-z0-9_%-][a-z0-9_.%-]*~?$/);
        for (const name of names) expect(name.length).to.be.lessThan(256);
        const joined = pathOfKey(key).replaceAll('~/', '').split('/').map(partOfName);
        expect(joined).to.deep.equal(parts);
      }),
    );
  });

  it('are refused for keys that the contract does not allow', () => {
    for (const key of ['', '/', 'a//b', '/a', 'a/', 'x'.repeat(513), '\ud800']) {
      expect(() => pathOfKey(key), JSON.stringify(key)).to.throw('is not allowed');
    }
  });
});

describe('FsObjectStore', () => {
  it('scenario 57: says that the disk is full, leaves nothing behind, and works again', async () => {
    for (const [code, call] of [
      ['ENOSPC', 'writev'],
      ['EDQUOT', 'datasync'],
      ['ENOSPC', 'link'],
      ['ENOSPC', 'mkdir'],
    ] as const) {
      await withTemporaryFolder(async (folder) => {
        const disk = new FaultyFileSystem();
        const store = await FsObjectStore.open(folder, disk.fileSystem);
        disk.failAt(0, code, call);
        const error = await errorOf(store.putIfAbsent('a/k', text('v'), nonce(1)));
        expect([error.reason, error.metadata['code']], call).to.deep.equal(['STORAGE_FULL', code]);
        expect((await store.get('a/k')).kind).to.equal('absent');
        expect((await store.putIfAbsent('a/k', text('w'), nonce(2))).kind).to.equal('created');
        await store.close();
        expect((await filesIn(join(folder, 'tmp'))).length).to.equal(0);
      });
    }
  });

  it('scenario 57: names input/output errors, read-only file systems and too many open files', async () => {
    const said: Record<string, RegExp> = {
      EIO: /input\/output error: check the disk \(EIO\)/,
      EROFS: /file system is read-only: mount it writable \(EROFS\)/,
      EACCES: /permission denied/,
      EMFILE: /too many open files: raise its limit/,
    };
    for (const [code, message] of Object.entries(said)) {
      for (const call of ['open', 'datasync', 'sync'] as const) {
        await withTemporaryFolder(async (folder) => {
          const disk = new FaultyFileSystem();
          const store = await FsObjectStore.open(folder, disk.fileSystem);
          await store.putIfAbsent('a/first', text('v'), nonce(9));
          disk.failAt(call === 'open' ? 1 : 0, code, call);
          const error = await errorOf(store.putIfAbsent('a/k', text('v'), nonce(1)));
          expect(error.reason).to.equal('STORAGE_UNAVAILABLE');
          expect(error.message).to.match(message);
          // The outcome was open; the same nonce settles it.
          expect((await store.putIfAbsent('a/k', text('v'), nonce(1))).kind).to.equal('created');
          expect(bodyOf(await store.get('a/k'))).to.equal('v');
          await store.close();
        });
      }
    }
  });

  it('does not say "full" once the name may have become visible', async () => {
    await withTemporaryFolder(async (folder) => {
      const disk = new FaultyFileSystem();
      const store = await FsObjectStore.open(folder, disk.fileSystem);
      await store.putIfAbsent('a/first', text('v'), nonce(9));
      disk.failAt(0, 'ENOSPC', 'sync');
      expect((await errorOf(store.putIfAbsent('a/k', text('v'), nonce(1)))).reason).to.equal(
        'STORAGE_UNAVAILABLE',
      );
      await store.close();
    });
  });

  it('scenarios 56, 59: die at any call, with a power cut or not: whole or absent', async () => {
    for (const power of [true, false]) {
      for (let n = 0; ; n++) {
        const fired = await withTemporaryFolder(async (folder) => {
          const disk = new FaultyFileSystem();
          disk.failAt(n, 'hang');
          const acknowledged = new Set<string>();
          const ended = new AbortController();
          void writeSome(folder, disk, acknowledged).finally(() => ended.abort());
          await disk.stopped(ended.signal);
          await disk.closeFiles();
          if (power) await disk.cutPower();
          await checkAfterCrash(folder, acknowledged, `call ${n}, power ${String(power)}`);
          return disk.fired;
        });
        if (!fired) break;
      }
    }
  });

  it('keeps the two newest generations of an object that is swapped', async () => {
    await withTemporaryFolder(async (folder) => {
      const store = await FsObjectStore.open(folder);
      await swapTo(store, 20);
      await store.close();
      const generations = await readdir(join(folder, 'objects', 'root@'));
      expect(generations).to.deep.equal(['000000000019', '000000000020']);
      const again = await FsObjectStore.open(folder);
      expect(bodyOf(await again.get('root'))).to.equal('20');
      await again.close();
    });
  });

  it('makes names durable that a dead process left, before it relies on them', async () => {
    await withTemporaryFolder(async (folder) => {
      const first = new FaultyFileSystem();
      const dying = await FsObjectStore.open(folder, first.fileSystem);
      const created = await dying.compareAndSwap('r/root', text('1'), null, nonce(1));
      first.failAt(0, 'hang', 'sync');
      void dying.compareAndSwap(
        'r/root',
        text('2'),
        created.kind === 'swapped' ? created.etag : '',
        nonce(2),
      );
      await first.stopped(new AbortController().signal);
      await first.closeFiles();
      const second = new FaultyFileSystem();
      const store = await FsObjectStore.open(folder, second.fileSystem);
      const before = second.calls.filter((call) => call === 'sync').length;
      expect(bodyOf(await store.get('r/root'))).to.equal('2');
      expect(second.calls.filter((call) => call === 'sync').length).to.equal(before + 1);
      await store.close();
      // After an orderly end there is nothing to mend.
      const third = new FaultyFileSystem();
      const calm = await FsObjectStore.open(folder, third.fileSystem);
      const syncs = third.calls.filter((call) => call === 'sync').length;
      await calm.get('r/root');
      expect(third.calls.filter((call) => call === 'sync').length).to.equal(syncs);
      await calm.close();
    });
  });

  it('tells a damaged file from an absent one', async () => {
    await withTemporaryFolder(async (folder) => {
      const store = await FsObjectStore.open(folder);
      await store.putIfAbsent('a/k', text('hello'), nonce(1));
      const path = join(folder, 'objects', 'a', 'k');
      const bytes = await readFile(path);
      for (const damaged of [bytes.subarray(0, 3), bytes.subarray(0, bytes.length - 1), Buffer.from('x')]) {
        await writeFile(path, damaged);
        expect((await errorOf(store.get('a/k'))).reason).to.equal('DATA_CORRUPTED');
      }
      await store.close();
    });
  });

  it('removes what unfinished writes left, and ignores files of others', async () => {
    await withTemporaryFolder(async (folder) => {
      const first = await FsObjectStore.open(folder);
      await first.putIfAbsent('a/k', text('v'), nonce(1));
      await first.close();
      await writeFile(join(folder, 'tmp', 'left-over'), 'half');
      await writeFile(join(folder, 'objects', 'a', '.nfs0001'), 'x');
      await mkdir(join(folder, 'objects', 'Lost+Found'));
      const store = await FsObjectStore.open(folder);
      expect(await readdir(join(folder, 'tmp'))).to.deep.equal([]);
      expect((await store.list('')).map(({ key }) => key)).to.deep.equal(['a/k']);
      await store.close();
    });
  });

  it('shares fsyncs of one folder among concurrent writers', async () => {
    await withTemporaryFolder(async (folder) => {
      const disk = new FaultyFileSystem();
      const store = await FsObjectStore.open(folder, disk.fileSystem);
      await store.putIfAbsent('w/first', text('v'), nonce(1));
      const before = disk.calls.filter((call: FileCall) => call === 'sync').length;
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => store.putIfAbsent(`w/${i}`, text('v'), nonce(i + 2))),
      );
      expect(disk.calls.filter((call: FileCall) => call === 'sync').length - before).to.be.lessThan(40);
      await store.close();
    });
  });
});

async function swapTo(store: ObjectStore, last: number): Promise<void> {
  let etag: string | null = null;
  for (let i = 1; i <= last; i++) {
    const swap = await store.compareAndSwap('root', text(String(i)), etag, nonce(i));
    etag = swap.kind === 'swapped' ? swap.etag : etag;
  }
}

/** Two objects in a folder of their own and three swaps, as a new collection makes them. */
async function writeSome(folder: string, disk: FaultyFileSystem, acknowledged: Set<string>): Promise<void> {
  const store = await FsObjectStore.open(folder, disk.fileSystem);
  for (const i of [1, 2]) {
    await store.putIfAbsent(`n/w/${i}`, text(`slot ${i}`), nonce(i));
    acknowledged.add(`n/w/${i}`);
  }
  let etag: string | null = null;
  for (const i of [1, 2, 3]) {
    const swap = await store.compareAndSwap('n/root', text(`root ${i}`), etag, nonce(10 + i));
    etag = swap.kind === 'swapped' ? swap.etag : etag;
    acknowledged.add(`root ${i}`);
  }
  await store.close();
}

async function checkAfterCrash(
  folder: string,
  acknowledged: ReadonlySet<string>,
  when: string,
): Promise<void> {
  const store = await FsObjectStore.open(folder);
  for (const i of [1, 2]) {
    const body = bodyOf(await store.get(`n/w/${i}`));
    expect(body, when).to.be.oneOf(acknowledged.has(`n/w/${i}`) ? [`slot ${i}`] : [`slot ${i}`, 'absent']);
  }
  const newest = [3, 2, 1].find((i) => acknowledged.has(`root ${i}`)) ?? 0;
  const root = bodyOf(await store.get('n/root'));
  const allowed = newest === 0 ? ['absent', 'root 1'] : [`root ${newest}`, `root ${newest + 1}`];
  expect(root, when).to.be.oneOf(allowed);
  expect((await store.putIfAbsent('n/w/3', text('x'), nonce(3))).kind).to.equal('created');
  await store.close();
}
