import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { FsObjectStore } from '#server/adapters/fs/fs-object-store.js';
import { withTemporaryFolder } from '../../../support/temporary-folder.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const nonce = (n: number): string => n.toString(16).padStart(32, '0');

describe('A folder that is opened beside the process that owns it', () => {
  it('shows every swap of the owner as soon as it is done', async () => {
    await withTemporaryFolder(async (folder) => {
      const owner = await FsObjectStore.open(folder);
      const beside = await FsObjectStore.beside(folder);
      for (let n = 1; n <= 5; n++) {
        await owner.compareAndSwap('root', text(`${n}`), n === 1 ? null : nonce(n - 1), nonce(n));
        const got = await beside?.get('root', { ifNoneMatch: nonce(n - 1) });
        expect(got?.kind === 'found' && new TextDecoder().decode(got.body)).to.equal(`${n}`);
        expect((await beside?.get('root', { ifNoneMatch: nonce(n) }))?.kind).to.equal('unchanged');
      }
      await beside?.close();
      await owner.close();
    });
  });

  it('shares objects that are put and removed, and leaves files of the owner alone', async () => {
    await withTemporaryFolder(async (folder) => {
      const owner = await FsObjectStore.open(folder);
      const unfinished = join(folder, 'tmp', 'of-the-owner');
      await writeFile(unfinished, 'half');
      const beside = await FsObjectStore.beside(folder);
      await owner.putIfAbsent('a/1', text('one'), nonce(1));
      expect(await beside?.putIfAbsent('a/1', text('two'), nonce(2))).to.deep.equal({ kind: 'exists' });
      await beside?.putIfAbsent('p/1', text('pin'), nonce(3));
      expect((await owner.get('p/1')).kind).to.equal('found');
      await beside?.delete('p/1');
      expect((await owner.get('p/1')).kind).to.equal('absent');
      await beside?.close();
      expect(await readdir(join(folder, 'tmp'))).to.deep.equal(['of-the-owner']);
      expect(await readdir(folder)).to.not.include('clean');
      await owner.close();
    });
  });

  it('is not made when there is none', async () => {
    await withTemporaryFolder(async (folder) => {
      expect(await FsObjectStore.beside(join(folder, 'missing'))).to.equal(null);
      expect(await readdir(folder)).to.deep.equal([]);
    });
  });
});
