import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const BUF = join(ROOT, 'node_modules/@bufbuild/buf/bin/buf');

export interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

/** A copy of the protos in a temporary folder, to plant changes in. */
export class ProtoCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'omendb-protos-'));

  constructor() {
    cpSync(join(ROOT, 'buf.yaml'), join(this.folder, 'buf.yaml'));
    for (const part of ['proto/omendb', 'proto/third_party']) {
      cpSync(join(ROOT, part), join(this.folder, part), { recursive: true });
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Replaces `before`, which must be there, in a file of `proto/omendb/v1`. */
  edit(file: string, before: string, after: string): void {
    const path = join(this.folder, 'proto/omendb/v1', file);
    const text = readFileSync(path, 'utf8');
    expect(text).to.include(before);
    writeFileSync(path, text.replace(before, after));
  }

  lint(): Outcome {
    return this.#run(BUF, 'lint');
  }

  /** Compares with the committed image. */
  checkBreaking(): Outcome {
    return this.#run(join(ROOT, 'scripts/check-breaking.mjs'), this.#image());
  }

  /** Runs the generator into a folder of its own. */
  generate(): Outcome {
    const generator = join(ROOT, 'proto/codegen/dist/main.js');
    return this.#run(generator, this.#image(), join(ROOT, 'proto/codegen'), join(this.folder, 'out'));
  }

  #image(): string {
    const image = join(this.folder, 'image.binpb');
    const { status, output } = this.#run(BUF, 'build', '-o', image);
    expect(status, output).to.equal(0);
    return image;
  }

  #run(script: string, ...args: string[]): Outcome {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: this.folder,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  }
}
