import { expect } from 'chai';
import { UsageError, parseCommandLine } from '#server/cli/arguments.js';

const parse = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '));

describe('The command line', () => {
  it('serves when nothing is said', () => {
    expect(parse('')).to.deep.equal({ kind: 'serve' });
    expect(parse('serve')).to.deep.equal({ kind: 'serve' });
    expect(parse('serve --config /etc/omendb.yaml')).to.deep.equal({
      ...{ kind: 'serve', configFile: '/etc/omendb.yaml' },
    });
  });

  it('asks for help wherever the wish stands', () => {
    for (const line of ['--help', '-h', 'help', 'serve --help', 'key create -h', 'nonsense --help']) {
      expect(parse(line), line).to.deep.equal({ kind: 'help' });
    }
  });

  it('makes tokens for everything for a day unless told otherwise', () => {
    expect(parse('token --tenant acme')).to.deep.equal({
      ...{ kind: 'token', tenant: 'acme', scopes: ['*'], collections: null },
      ...{ subject: 'omendb-cli', lifeMs: 86_400_000 },
    });
    const line =
      'token --tenant acme --scope records.read,records.write --scope collections.read --collection docs-* --ttl 90s';
    expect(parse(line)).to.deep.include({
      ...{
        scopes: ['records.read', 'records.write', 'collections.read'],
        collections: ['docs-*'],
        lifeMs: 90_000,
      },
    });
  });

  it('makes keys that do not expire unless told otherwise', () => {
    expect(parse('key create --tenant acme')).to.deep.include({
      environment: 'live',
      name: '',
      lifeMs: null,
    });
    expect(parse('key create --tenant acme --days 30 --env test')).to.deep.include({
      ...{ environment: 'test', lifeMs: 30 * 86_400_000 },
    });
  });

  it('names what is wrong', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['token --tenant a --ttl 0s', /--ttl is "0s"/],
      ['token --tenant a --ttl 24h1', /--ttl/],
      ['token --tenant a --collection a/b', /--collection/],
      ['key create --tenant a --days 0', /--days is "0"/],
      ['key create --tenant a --env Live', /--env/],
      ['key disable a b', /"b" is one argument too many/],
      ['key list --scope x', /--scope/],
      ['token --tenant', /--tenant/],
    ];
    for (const [line, message] of wrong) expect(() => parse(line), line).to.throw(UsageError, message);
  });
});
