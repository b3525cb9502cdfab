import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const GENERATED = ['server/src/gen', 'sdk/src/gen', 'docs/api.md', 'proto/image.binpb'];

describe('generated files', function () {
  this.timeout(120_000);
  let scratch: string;

  before(() => {
    scratch = mkdtempSync(join(tmpdir(), 'omendb-fresh-'));
    for (const name of ['first', 'second']) {
      const args = [join(ROOT, 'scripts/generate.mjs'), join(scratch, name)];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect(status, stderr).to.equal(0);
    }
  });

  after(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  it('are the same whenever they are made', () => {
    expect(differences(join(scratch, 'first'), join(scratch, 'second'))).to.deep.equal([]);
  });

  it('are committed as the protos give them', () => {
    expect(differences(join(scratch, 'first'), ROOT)).to.deep.equal([]);
  });

  it('show an edit by hand, a lost file and a stray one', () => {
    const edited = join(scratch, 'edited');
    cpSync(join(scratch, 'first'), edited, { recursive: true });
    appendFileSync(join(edited, 'server/src/gen/methods.ts'), '\n');
    appendFileSync(join(edited, 'sdk/src/gen/extra.ts'), '');
    rmSync(join(edited, 'docs/api.md'));
    expect(differences(join(scratch, 'first'), edited)).to.have.members([
      'server/src/gen/methods.ts',
      'sdk/src/gen/extra.ts',
      'docs/api.md',
    ]);
  });
});

/** Paths below the generated places that differ between two trees or are in one only. */
function differences(left: string, right: string): string[] {
  const paths = new Set([...files(left), ...files(right)]);
  return [...paths].filter((path) => {
    const [a, b] = [join(left, path), join(right, path)];
    return !existsSync(a) || !existsSync(b) || !readFileSync(a).equals(readFileSync(b));
  });
}

function files(root: string): string[] {
  return GENERATED.flatMap((place) => {
    const path = join(root, place);
    if (!existsSync(path)) return [];
    if (!/gen$/.test(place)) return [place];
    const entries = readdirSync(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  });
}
