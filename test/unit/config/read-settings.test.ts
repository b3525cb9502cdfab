import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { OPTIONS } from '#server/config/options.js';
import { loadOn, problemsOf } from '../../support/config-problems.js';

const SECRET = 'a secret that is long enough to sign with';

describe('Settings in a file', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-settings-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function file(...lines: readonly string[]): { OMENDB_CONFIG_FILE: string } {
    const path = join(folder, 'omendb.yaml');
    writeFileSync(path, lines.join('\n'));
    return { OMENDB_CONFIG_FILE: path };
  }

  it('count like those of the environment, which counts more', () => {
    const env = file('OMENDB_HTTP_PORT: 1234', 'OMENDB_LOG_LEVEL: debug');
    expect(loadOn(env)).to.include({ httpPort: 1234, logLevel: 'debug', configFile: env.OMENDB_CONFIG_FILE });
    expect(loadOn({ ...env, OMENDB_LOG_LEVEL: 'warn' }).logLevel).to.equal('warn');
  });

  it('are checked alike, and problems with them say file and line', () => {
    const env = file(
      '# one',
      'OMENDB_HTTP_PORT: x',
      'OMENDB_DIMENSIONS: 3',
      'LOG_LEVEL: debug',
      'OMENDB_HOST: 0.0.0.0',
    );
    const path = env.OMENDB_CONFIG_FILE;
    const problems = problemsOf({ ...env, OMENDB_GRPC_PORT: 'y' });
    expect(problems).to.have.lengthOf(5);
    const text = problems.join('\n');
    expect(text).to.include(`${path}:2: OMENDB_HTTP_PORT is "x": must be a port`);
    expect(text).to.include(`${path}:3: OMENDB_DIMENSIONS is not a setting: did you mean OMENDB_DIMENSION?`);
    expect(text).to.include(`${path}:4: LOG_LEVEL is not a setting: did you mean OMENDB_LOG_LEVEL?`);
    expect(text).to.include(`${path}:5: OMENDB_HOST is "0.0.0.0", which other machines can reach`);
    expect(text).to.match(/^OMENDB_GRPC_PORT is "y"/m);
  });

  it('are no secrets, and nothing that is of one process only', () => {
    const env = file(`OMENDB_JWT_SECRET: ${SECRET}`, 'OMENDB_POD_NAME: omendb-0', 'OMENDB_CONFIG_FILE: x');
    const path = env.OMENDB_CONFIG_FILE;
    expect(problemsOf(env)).to.deep.equal([
      `${path}:1: OMENDB_JWT_SECRET is a secret, which does not belong here: name a file with it in OMENDB_JWT_SECRET_FILE`,
      `${path}:2: OMENDB_POD_NAME is of one process: set it in the environment`,
      `${path}:3: OMENDB_CONFIG_FILE is of one process: set it in the environment`,
    ]);
  });

  it('may name the file of a secret', () => {
    writeFileSync(join(folder, 'secret'), SECRET);
    const config = loadOn(file(`OMENDB_JWT_SECRET_FILE: ${join(folder, 'secret')}`));
    expect(config).to.include({ host: '0.0.0.0', jwtSecretFile: join(folder, 'secret') });
  });

  it('are read from a file that is there', () => {
    expect(problemsOf({ OMENDB_CONFIG_FILE: join(folder, 'none') })[0]).to.match(
      /^OMENDB_CONFIG_FILE is ".*": cannot be read/,
    );
    expect(problemsOf({ OMENDB_CONFIG_FILE: '' })[0]).to.match(/^OMENDB_CONFIG_FILE is empty/);
  });

  it('that take effect without a restart are those that the help says', () => {
    const live = Object.values(OPTIONS).filter((option) => 'live' in option);
    expect(live).to.have.lengthOf(4);
    for (const { env } of live) expect(OPTIONS.configFile.doc).to.include(env);
  });
});
