import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const BUF = join(ROOT, 'node_modules/@bufbuild/buf/bin/buf');
const COLLECTION = 'proto/omendb/v1/collection.proto';

describe('changes of the protos', function () {
  this.timeout(60_000);
  let copy: string;

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'omendb-protos-'));
    cpSync(join(ROOT, 'buf.yaml'), join(copy, 'buf.yaml'));
    for (const part of ['proto/omendb', 'proto/third_party']) {
      cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    }
  });

  afterEach(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  function edit(before: string, after: string): void {
    const text = readFileSync(join(copy, COLLECTION), 'utf8');
    expect(text).to.include(before);
    writeFileSync(join(copy, COLLECTION), text.replace(before, after));
  }

  function run(
    script: string,
    ...args: string[]
  ): { readonly status: number | null; readonly output: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: copy,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  }

  function checkBreaking(): { readonly status: number | null; readonly output: string } {
    const image = join(copy, 'image.binpb');
    expect(run(BUF, 'build', '-o', image).status).to.equal(0);
    return run(join(ROOT, 'scripts/check-breaking.mjs'), image);
  }

  it('are free when they only add', () => {
    edit(
      '// When the collection was made.',
      '// Who made it.\n  string owner = 6;\n  // When the collection was made.',
    );
    expect(checkBreaking()).to.deep.equal({ status: 0, output: '' });
  });

  it('are refused when a field changes its type', () => {
    edit('uint32 dimensions = 2;', 'string dimensions = 2;');
    const { status, output } = checkBreaking();
    expect(status).to.not.equal(0);
    expect(output).to.include('changed type from "uint32" to "string"');
  });

  it('are refused when a field goes', () => {
    edit('string name = 1;', 'reserved 1;');
    expect(checkBreaking().status).to.not.equal(0);
  });

  it('pass lint with a comment and fail without', () => {
    expect(run(BUF, 'lint')).to.deep.equal({ status: 0, output: '' });
    edit('  // When the collection was made.\n', '');
    const { status, output } = run(BUF, 'lint');
    expect(status).to.not.equal(0);
    expect(output).to.include('create_time');
  });
});
