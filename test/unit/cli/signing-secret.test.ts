import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { developmentSecret, followSecretFile } from '#server/cli/signing-secret.js';
import type { Logger } from '#server/ports/logger.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeScheduler } from '../../support/fake-scheduler.js';
import { SeededRng } from '../../support/seeded-rng.js';

describe('The signing secret', () => {
  let folder: string;
  let file: string;
  let scheduler: FakeScheduler;
  let changes: string[];
  let lines: string[];
  let stop: () => void;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-secret-'));
    file = join(folder, 'secret');
    writeFileSync(file, `${'a'.repeat(40)}\n`);
    scheduler = new FakeScheduler(new FakeClock());
    [changes, lines] = [[], []];
    const note = (message: string): void => void lines.push(message);
    const logger: Logger = {
      verbose: true,
      debug: note,
      info: note,
      warn: note,
      error: note,
      child: () => logger,
    };
    stop = followSecretFile(file, { scheduler, logger }, (keys) => {
      changes.push(keys.map((key) => new TextDecoder().decode(key)).join());
    });
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('is taken anew from its file within ten seconds', async () => {
    await scheduler.advance(60_000);
    expect(changes).to.deep.equal([]);
    writeFileSync(file, `${'b'.repeat(40)}\n`);
    await scheduler.advance(10_000);
    expect(changes).to.deep.equal(['b'.repeat(40)]);
    await scheduler.advance(60_000);
    expect(changes).to.have.lengthOf(1);
  });

  it('stays when the file has no usable one or is gone, and the log says so', async () => {
    writeFileSync(file, 'short');
    await scheduler.advance(10_000);
    rmSync(file);
    await scheduler.advance(30_000);
    expect(changes).to.deep.equal([]);
    expect(lines).to.have.lengthOf(2);
    writeFileSync(file, 'c'.repeat(40));
    await scheduler.advance(10_000);
    expect(changes).to.deep.equal(['c'.repeat(40)]);
  });

  it('is not looked for any more after the end', async () => {
    stop();
    writeFileSync(file, 'b'.repeat(40));
    await scheduler.advance(60_000);
    expect(changes).to.deep.equal([]);
    expect(scheduler.pending).to.equal(0);
  });

  it('of development mode is made once', () => {
    const path = join(folder, 'new', 'development-secret');
    const first = developmentSecret(path, new SeededRng(1));
    expect(first.length).to.equal(64);
    expect(developmentSecret(path, new SeededRng(2))).to.deep.equal(first);
  });
});
