import { expect } from 'chai';
import { UsageError, parseCommandLine } from '#server/cli/arguments.js';

const parse = (line: string) => parseCommandLine(line.split(' '));

describe('The command line of whole stores', () => {
  it('backs up everything with its past, from the store of the settings', () => {
    expect(parse('backup --to s3://vault/nightly')).to.deep.include({
      ...{ kind: 'backup', from: null, history: 'all', json: false },
      to: { kind: 's3', bucket: 'vault', prefix: 'nightly/' },
    });
    const named = parse('backup --to file:///vault --collection a/x,b/y --collection a/z --history none');
    expect(named.kind === 'backup' && named.selection.names).to.deep.equal([
      { tenant: 'a', name: 'x' },
      { tenant: 'b', name: 'y' },
      { tenant: 'a', name: 'z' },
    ]);
  });

  it('restores the newest backup unless a moment or a backup is given', () => {
    expect(parse('restore --from file:///vault')).to.deep.include({
      ...{ backupId: null, asOfMs: null, name: null, to: null, keys: false },
    });
    const line = 'restore --from file:///vault --as-of 2026-01-31T16:04:05+01:00 --collection a/x --name y';
    expect(parse(line)).to.deep.include({ asOfMs: Date.UTC(2026, 0, 31, 15, 4, 5), name: 'y' });
  });

  it('verifies and collects', () => {
    expect(parse('verify --from file:///vault --quick')).to.deep.include({ backupId: null, quick: true });
    expect(parse('collect --dry-run --json')).to.deep.include({ dryRun: true, json: true });
  });

  it('names what is wrong', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['backup', /--to is missing: must be file:\/\//],
      ['backup --to /vault', /--to is "\/vault"/],
      ['backup --to file:///vault --history some', /--history is "some"/],
      ['backup --to file:///vault --collection x', /"x" must be a tenant and a collection/],
      ['restore --from file:///vault --name y', /--name is for one collection/],
      ['restore --from file:///vault --as-of 2026-01-31', /--as-of is "2026-01-31"/],
      ['restore --from file:///vault --as-of 2026-13-31T00:00:00Z', /--as-of/],
      ['verify --from s3://UPPER', /--from is "s3:\/\/UPPER"/],
      ['collect everything', /"everything" is one argument too many/],
    ];
    for (const [line, message] of wrong) expect(() => parse(line), line).to.throw(UsageError, message);
  });
});
