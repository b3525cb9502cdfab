// The client and the past of a collection, against the real server, over both transports.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { OmenClient } from '#sdk/index.js';
import type { Collection, ReadOptions } from '#sdk/index.js';
import { grpcTransport } from '#sdk/grpc.js';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';

interface Note {
  text: string;
}

/** Notes by id, each on an axis of its own. */
const NOTES = { a: [1, 0, 0], b: [0, 1, 0], c: [0, 0, 1] } as const;
type NoteId = keyof typeof NOTES;

describe('The past of a collection', function () {
  this.timeout(60_000);
  let folder: string;
  let server: ServerProcess;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-past-'));
    server = await startServer({ dataDir: folder });
  });

  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const transport of ['http', 'grpc'] as const) {
    describe(`over ${transport}`, () => {
      let db: OmenClient;
      let notes: Collection<Note>;
      let made = 0;

      before(() => {
        const { token, url, grpcAddress } = server;
        db =
          transport === 'http'
            ? new OmenClient({ endpoint: url, token })
            : new OmenClient({ endpoint: `http://${grpcAddress}`, token, transport: grpcTransport() });
      });

      beforeEach(async () => {
        made += 1;
        notes = await db.collections.create<Note>({
          ...{ name: `notes-${transport}-${made}`, dimensions: 3, metric: 'l2' },
        });
        await write(notes, 'first', 'a', 'b');
      });

      after(() => db.close());

      it('is read as of a time, by every kind of read', async () => {
        const then = await momentAfter(notes);
        await write(notes, 'second', 'b', 'c');
        await notes.delete({ ids: ['a'] });

        expect(await textsOf(notes)).to.deep.equal({ b: 'second', c: 'second' });
        expect(await textsOf(notes, { asOf: then })).to.deep.equal({ a: 'first', b: 'first' });
        expect(await notes.count({ asOf: then, filter: { text: 'first' } })).to.equal(2);
        expect((await notes.get('b', { asOf: then }))?.attributes.text).to.equal('first');
        expect((await notes.getMany(['a', 'c'], { asOf: then })).missingIds).to.deep.equal(['c']);
        const { hits } = await notes.query({ vector: NOTES.c, topK: 3, asOf: then });
        expect(hits.map(({ id }) => id)).to.have.members(['a', 'b']);

        const tomorrow = new Date(Date.now() + 24 * 60 * 60 * 1000);
        expect(await textsOf(notes, { asOf: tomorrow })).to.deep.equal({ b: 'second', c: 'second' });
        const before = (await notes.info()).createdAt?.getTime() ?? 0;
        expect(await reasonOf(notes.count({ asOf: new Date(before - 1) }))).to.equal('MOMENT_NOT_KEPT');
      });

      it('is read as of the answer to a write or a read', async () => {
        const { sequenceNumber } = await notes.query({ vector: NOTES.a });
        const deleted = await notes.delete({ ids: ['a', 'b'] });
        expect(await notes.count({ asOfSequenceNumber: sequenceNumber })).to.equal(2);
        expect(await notes.count({ asOfSequenceNumber: deleted.sequenceNumber })).to.equal(0);
        expect(await notes.count({ asOfSequenceNumber: 0 })).to.equal(0);
        const past = await notes.getMany(['a'], { asOfSequenceNumber: sequenceNumber });
        expect(past.sequenceNumber).to.equal(sequenceNumber);
      });

      it('is kept in snapshots, whatever happens to the records', async () => {
        const kept = await notes.snapshots.create('before');
        expect(kept).to.include({ name: 'before', sequenceNumber: 2 });
        expect(kept.createdAt).to.be.a('date');
        expect(await reasonOf(notes.snapshots.create('before'))).to.equal('SNAPSHOT_EXISTS');
        await notes.delete({ ids: ['a', 'b'] });
        await notes.snapshots.create('after');

        expect(await notes.count()).to.equal(0);
        expect(await textsOf(notes, { snapshot: 'before' })).to.deep.equal({ a: 'first', b: 'first' });
        expect(await notes.count({ snapshot: 'after' })).to.equal(0);
        expect((await notes.snapshots.list()).map(({ name }) => name)).to.deep.equal(['before', 'after']);
        expect(await notes.stats()).to.include({ snapshots: 2, sequenceNumber: 4 });

        await notes.snapshots.delete('before');
        await notes.snapshots.delete('before');
        expect(await reasonOf(notes.count({ snapshot: 'before' }))).to.equal('SNAPSHOT_NOT_FOUND');
        expect((await notes.snapshots.list()).map(({ name }) => name)).to.deep.equal(['after']);
      });

      for (const derive of ['branch', 'copy'] as const) {
        it(`goes on in a ${derive}, and neither side sees what happens to the other`, async () => {
          const then = await momentAfter(notes);
          await notes.snapshots.create('kept');
          await write(notes, 'second', 'b');
          const name = (suffix: string): string => `${notes.name}-${derive}-${suffix}`;
          const present = await db.collections[derive]<Note>(notes.name, name('present'));
          const old = await db.collections[derive]<Note>(notes.name, name('old'), { asOf: then });
          const kept = await db.collections[derive]<Note>(notes.name, name('kept'), { snapshot: 'kept' });
          expect(await textsOf(present)).to.deep.equal({ a: 'first', b: 'second' });
          expect(await textsOf(old)).to.deep.equal({ a: 'first', b: 'first' });
          expect(await textsOf(kept)).to.deep.equal({ a: 'first', b: 'first' });
          expect(await present.info()).to.include({ name: present.name, dimensions: 3, metric: 'l2' });

          await write(present, 'mine', 'a', 'c');
          await notes.delete({ ids: ['b'] });
          expect(await textsOf(present)).to.deep.equal({ a: 'mine', b: 'second', c: 'mine' });
          expect(await textsOf(notes)).to.deep.equal({ a: 'first' });

          await db.collections.delete(notes.name);
          expect(await textsOf(old)).to.deep.equal({ a: 'first', b: 'first' });
          const taken = db.collections[derive](present.name, old.name);
          expect(await reasonOf(taken)).to.equal('COLLECTION_EXISTS');
        });
      }

      it('goes on from a session and from a moment, not from both', async () => {
        const { sessionToken } = await notes.query({ vector: NOTES.a });
        const asOf = new Date();
        expect(await reasonOf(notes.count({ sessionToken, asOf }))).to.equal('INVALID_ARGUMENT');
        expect(await reasonOf(notes.count({ consistency: 'strong', asOf }))).to.equal('INVALID_ARGUMENT');
        expect(await reasonOf(notes.count({ snapshot: 's', asOf }))).to.equal('INVALID_ARGUMENT');
        for (const consistency of ['session', 'strong', 'eventual'] as const) {
          expect(await notes.count({ consistency })).to.equal(2);
        }
      });

      it('reaches back as far as the stats say', async () => {
        const { readableFrom, unfoldedBytes, jobs } = await notes.stats();
        expect(readableFrom).to.be.a('date');
        expect(await reasonOf(notes.count({ asOf: readableFrom }))).to.equal('none');
        expect(unfoldedBytes).to.be.greaterThan(0);
        expect(jobs).to.deep.equal([]);
      });
    });
  }
});

async function write(notes: Collection<Note>, text: string, ...ids: NoteId[]): Promise<void> {
  await notes.upsert(ids.map((id) => ({ id, vector: NOTES[id], attributes: { text } })));
}

/** A time after everything that was written so far and before everything that will be. */
async function momentAfter(notes: Collection<Note>): Promise<Date> {
  const moment = new Date();
  while (Date.now() <= moment.getTime()) await notes.count();
  return moment;
}

async function textsOf(notes: Collection<Note>, read: ReadOptions = {}): Promise<Record<string, string>> {
  const records = await notes.scan(read).toArray();
  return Object.fromEntries(records.map(({ id, attributes }) => [id, attributes.text]));
}

/** The reason of the error that a call ends with, or `none`. */
function reasonOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (error: unknown) => (error as { reason?: string }).reason ?? String(error),
  );
}
