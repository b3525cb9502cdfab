import { expect } from 'chai';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DataFolderDeps } from '#server/adapters/fs/data-folder.js';
import { openDataFolder } from '#server/adapters/fs/data-folder.js';
import type { LockDeps } from '#server/adapters/fs/folder-lock.js';
import { FolderLock } from '#server/adapters/fs/folder-lock.js';
import type { LockHolder } from '#server/adapters/fs/lock-holder.js';
import { describeSelf, judge } from '#server/adapters/fs/lock-holder.js';
import { bodyOf } from '../../../contract/object-store.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeScheduler } from '../../../support/fake-scheduler.js';
import { silentLogger } from '../../../support/log-node.js';
import { withTemporaryFolder } from '../../../support/temporary-folder.js';

let nonces = 0;
/** The user that owns nothing, by its usual number. */
const NOBODY = 65_534;
const HOLDER_SCRIPT = new URL('../../../support/hold-folder.js', import.meta.url);

function deps(clock = new FakeClock(), scheduler = new FakeScheduler(clock)): LockDeps & DataFolderDeps {
  return { clock, scheduler, logger: silentLogger, nonce: (++nonces).toString(16).padStart(32, '0') };
}

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'not refused';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A process that holds a folder, or the words with which it was refused. */
async function holdElsewhere(folder: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [HOLDER_SCRIPT.pathname, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  return { child, said: line.toString().trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('Data folder', () => {
  it('is created with its parents and opened again', async () => {
    await withTemporaryFolder(async (top) => {
      const folder = join(top, 'a', 'b');
      const first = await openDataFolder(folder, deps());
      await first.putIfAbsent('k', new TextEncoder().encode('v'), '1'.repeat(32));
      await first.close();
      const second = await openDataFolder(folder, deps());
      expect(bodyOf(await second.get('k'))).to.equal('v');
      await second.close();
      expect(JSON.parse(await readFile(join(folder, 'omendb.json'), 'utf8'))).to.deep.include({ format: 1 });
    });
  });

  it('is refused when it holds something else, is a file, or has another format', async () => {
    await withTemporaryFolder(async (top) => {
      await writeFile(join(top, 'thesis.doc'), 'x');
      expect(await refusalOf(openDataFolder(top, deps()))).to.match(
        /is not empty and has no omendb\.json \(it holds thesis\.doc\)/,
      );
      expect(await readdir(top)).to.deep.equal(['thesis.doc']);
      expect(await refusalOf(openDataFolder(join(top, 'thesis.doc'), deps()))).to.match(/thesis\.doc/);
      const newer = join(top, 'newer');
      await mkdir(newer);
      for (const [text, seen] of [
        ['{"format":2}', /has format 2, this server knows format 1/],
        ['{"form', /has a damaged omendb\.json/],
      ] as const) {
        await writeFile(join(newer, 'omendb.json'), text);
        expect(await refusalOf(openDataFolder(newer, deps()))).to.match(seen);
      }
    });
  });

  it('scenario 57: is refused with advice when it cannot be written', async () => {
    await withTemporaryFolder(async (top) => {
      const superuser = process.getuid?.() === 0;
      // The superuser may write anywhere, so it becomes nobody for a moment.
      if (superuser) await chown(top, NOBODY, NOBODY);
      await chmod(top, 0o500);
      if (superuser) process.seteuid?.(NOBODY);
      try {
        expect(await refusalOf(openDataFolder(join(top, 'data'), deps()))).to.match(/permission denied/);
      } finally {
        if (superuser) process.seteuid?.(0);
        await chmod(top, 0o700);
      }
    });
  });
});

describe('Folder lock', () => {
  it('scenario 58: refuses a second process and names the first, until kill -9', async function () {
    this.timeout(20_000);
    await withTemporaryFolder(async (folder) => {
      const first = await holdElsewhere(folder);
      expect(first.said).to.equal('held');
      const refused = await refusalOf(openDataFolder(folder, deps()));
      expect(refused).to.contain(
        `data folder ${folder} is in use by process ${first.child.pid} on host ${hostname()}`,
      );
      const second = await holdElsewhere(folder);
      expect(second.said).to.match(/^refused: data folder .* is in use by process/);
      await kill(first.child);
      const store = await openDataFolder(folder, deps());
      const third = await holdElsewhere(folder);
      expect(third.said).to.contain(`in use by process ${process.pid}`);
      await store.close();
      const fourth = await holdElsewhere(folder);
      expect(fourth.said).to.equal('held');
      await kill(fourth.child);
    });
  });

  it('goes to exactly one of many processes that come at once after a crash', async function () {
    this.timeout(30_000);
    await withTemporaryFolder(async (folder) => {
      await kill((await holdElsewhere(folder)).child);
      const all = await Promise.all(Array.from({ length: 6 }, () => holdElsewhere(folder)));
      expect(all.filter(({ said }) => said === 'held').length).to.equal(1);
      for (const { child, said } of all) if (said === 'held') await kill(child);
    });
  });

  it('works below a path that is too long for a socket address', async () => {
    await withTemporaryFolder(async (top) => {
      const folder = join(top, 'd'.repeat(120));
      await mkdir(folder);
      const lock = await FolderLock.acquire(folder, deps());
      expect((await readdir(join(folder, 'lock'))).some((name) => name.endsWith('.sock'))).to.equal(true);
      expect(await refusalOf(FolderLock.acquire(folder, deps()))).to.match(/is in use/);
      await lock.release();
      await (await FolderLock.acquire(folder, deps())).release();
    });
  });

  it('works where there are no sockets', async () => {
    await withTemporaryFolder(async (folder) => {
      const lock = await FolderLock.acquire(folder, { ...deps(), withoutSocket: true });
      expect(await refusalOf(FolderLock.acquire(folder, deps()))).to.match(/is in use/);
      await lock.release();
      await (await FolderLock.acquire(folder, deps())).release();
    });
  });

  it('waits for a sign of life of a holder elsewhere, and takes over when there is none', async () => {
    await withTemporaryFolder(async (folder) => {
      const elsewhere = { host: 'other', bootId: 'other-boot', pidNamespace: 'other' };
      const clock = new FakeClock();
      const scheduler = new FakeScheduler(clock);
      const held = await FolderLock.acquire(folder, deps(clock, scheduler));
      await pretend(folder, elsewhere);
      // The holder's heart beats on the same clock, so it is heard.
      const patient = settled(FolderLock.acquire(folder, deps(clock, scheduler)));
      await passTime(scheduler, patient);
      expect(await refusalOf(patient.promise)).to.match(/in use by process \d+ on host other/);
      // Its clock has stopped.
      const other = new FakeClock();
      const otherScheduler = new FakeScheduler(other);
      const taking = settled(FolderLock.acquire(folder, deps(other, otherScheduler)));
      await passTime(otherScheduler, taking);
      const lock = await taking.promise;
      // The old holder notices before its next write.
      clock.advance(11_000);
      expect(await refusalOf(held.check())).to.match(/another process has taken over/);
      await lock.check();
      await lock.release();
      await held.release();
    });
  });

  it('scenario 58: judges a holder by boot, host, socket and process', async () => {
    const self = await describeSelf({ socket: null, nonce: '1', since: '' });
    const verdict = (change: Partial<LockHolder>, answers = false): Promise<string> =>
      judge({ ...self, ...change }, self, async () => answers);
    expect(await verdict({})).to.equal('alive');
    expect(await verdict({ socket: 's' }, true)).to.equal('alive');
    expect(await verdict({ socket: 's' }, false)).to.equal('dead');
    // A container on this machine: its process id says nothing, its socket does.
    expect(await verdict({ socket: 's', pid: 1, host: 'pod', pidNamespace: 'x' }, true)).to.equal('alive');
    expect(await verdict({ pid: 1, host: 'pod', pidNamespace: 'x' })).to.equal('unknown');
    if (self.bootId !== '') {
      expect(await verdict({ bootId: 'before' })).to.equal('dead');
      expect(await verdict({ bootId: 'before', host: 'elsewhere' })).to.equal('unknown');
    }
    if (self.startTime !== '') expect(await verdict({ startTime: '1' })).to.equal('dead');
    expect(await verdict({ pid: 2 ** 22 + 7 })).to.equal('dead');
  });
});

/** Makes the newest claim look like one of another machine. */
async function pretend(folder: string, change: Partial<LockHolder>): Promise<void> {
  const lock = join(folder, 'lock');
  const newest =
    (await readdir(lock))
      .filter((name) => /^\d+$/.test(name))
      .sort()
      .at(-1) ?? '';
  const claim = JSON.parse(await readFile(join(lock, newest), 'utf8')) as LockHolder;
  await writeFile(join(lock, newest), JSON.stringify({ ...claim, ...change }));
}

interface Settled<T> {
  readonly promise: Promise<T>;
  done: boolean;
}

function settled<T>(promise: Promise<T>): Settled<T> {
  const state: Settled<T> = { promise, done: false };
  const end = (): void => void (state.done = true);
  promise.then(end, end);
  return state;
}

/** Moves the clock on while file calls run, until something has settled. */
async function passTime(scheduler: FakeScheduler, until: Settled<unknown>): Promise<void> {
  while (!until.done) {
    await readdir('.');
    await scheduler.advance(1000);
  }
}
