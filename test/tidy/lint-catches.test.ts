// Plants an offence in a copy of the tree and runs the real checks there, so that a rule which no longer
// bites is seen.
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from './tree.js';

const RULES = [
  '.dependency-cruiser.cjs',
  'eslint.config.js',
  'package.json',
  'tsconfig.base.json',
  'buf.yaml',
  'scripts',
];

describe('npm run lint', function () {
  this.timeout(60_000);
  let copy: string;

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'omendb-lint-'));
    for (const path of RULES) cpSync(join(ROOT, path), join(copy, path), { recursive: true });
    for (const part of ['server', 'sdk']) {
      put(`${part}/package.json`, '{ "type": "module" }');
      cpSync(join(ROOT, part, 'tsconfig.json'), join(copy, part, 'tsconfig.json'));
      mkdirSync(join(copy, part, 'src'));
    }
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });

  afterEach(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), text);
  }

  function lint(check: string): { readonly failed: boolean; readonly output: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/lint.mjs', check], {
      cwd: copy,
      encoding: 'utf8',
    });
    return { failed: status !== 0, output: `${stdout}${stderr}`.replace(/\s+/g, ' ') };
  }

  function expectCaught(check: string, message: string): void {
    const { failed, output } = lint(check);
    expect(output).to.include(message);
    expect(failed, 'the command fails').to.equal(true);
  }

  it('passes on a clean core', () => {
    put('server/src/core/clean.ts', 'export const clean = (now: number): number => now + 1;\n');
    put('server/src/core/user.ts', "import { clean } from './clean.js';\n\nexport const used = clean(1);\n");
    for (const check of ['eslint', 'layers']) {
      const { failed, output } = lint(check);
      expect(failed, output).to.equal(false);
    }
  });

  it('refuses an import from core to an adapter', () => {
    put('server/src/adapters/fs/store.ts', 'export const store = 1;\n');
    put(
      'server/src/core/planted.ts',
      "import { store } from '../adapters/fs/store.js';\n\nexport const seen = store;\n",
    );
    expectCaught('layers', 'core-is-pure: server/src/core/planted.ts → server/src/adapters/fs/store.ts');
  });

  it('refuses an import of a type alone, too', () => {
    put('server/src/adapters/fs/store.ts', 'export interface Store {}\n');
    put(
      'server/src/app/planted.ts',
      "import type { Store } from '../adapters/fs/store.js';\n\nexport type Seen = Store;\n",
    );
    expectCaught(
      'layers',
      'app-knows-no-technology: server/src/app/planted.ts → server/src/adapters/fs/store.ts',
    );
  });

  it('refuses wire types behind the edge, adapters that meet, and cycles', () => {
    put('server/src/gen/wire.ts', 'export interface Wire {}\n');
    put(
      'server/src/adapters/a/one.ts',
      "export type { Wire } from '../../gen/wire.js';\nexport * from '../b/two.js';\n",
    );
    put('server/src/adapters/b/two.ts', "export * from '../a/one.js';\n");
    const { output } = lint('layers');
    for (const rule of ['wire-types-stop-at-the-edge', 'adapters-do-not-meet', 'no-cycles']) {
      expect(output).to.include(`${rule}: server/src/adapters/a/one.ts`);
    }
  });

  it('refuses the clock, randomness, timers and Node in core, and names what to use', () => {
    put(
      'server/src/core/planted.ts',
      [
        "import { readFileSync } from 'node:fs';",
        'export const planted = [Date.now(), new Date(), Math.random(), performance.now(), readFileSync];',
        'export const bytes = Buffer.from(process.argv[0] ?? "");',
        'setTimeout(() => undefined, 1);',
        '',
      ].join('\n'),
    );
    const { failed, output } = lint('eslint');
    expect(failed).to.equal(true);
    expect(output).to.include("'Date.now' is restricted from being used. Use the Clock port");
    expect(output).to.include("'Math.random' is restricted from being used. Use the Rng port");
    expect(output).to.include("Unexpected use of 'setTimeout'. Use the Scheduler port");
    expect(output).to.include("Unexpected use of 'performance'. Use the Clock port");
    expect(output).to.include("Unexpected use of 'Buffer'. Use Uint8Array");
    expect(output).to.include("Unexpected use of 'process'. Take the setting as an argument");
    expect(output).to.include("'node:fs' import is restricted from being used by a pattern");
    expect(output).to.match(/2:\d+ error Use the Clock port \S+ time is handed in/);
  });

  it('refuses a promise that nobody awaits, a switch with a gap, any, an enum and a default export', () => {
    put(
      'server/src/transport/planted.ts',
      [
        "type Tier = 'hot' | 'warm';",
        'export const act = async (): Promise<void> => undefined;',
        'export function planted(tier: Tier, value: any): number {',
        '  act();',
        '  switch (tier) {',
        "    case 'hot':",
        '      return value;',
        '  }',
        '  return 0;',
        '}',
        'export enum Colour {}',
        'export default planted;',
        '',
      ].join('\n'),
    );
    const { output } = lint('eslint');
    for (const rule of ['no-floating-promises', 'switch-exhaustiveness-check', 'no-explicit-any']) {
      expect(output).to.include(`@typescript-eslint/${rule}`);
    }
    expect(output).to.include('type derived from it instead of an enum');
    expect(output).to.include('Use a named export');
  });

  it('refuses a hand edit of a generated file, and a file among them that nothing generates', () => {
    const sources = ['alerts', 'dashboards', 'docs', 'helm', 'k8s', 'proto', 'sdk/src/gen', 'server'];
    const filter = (path: string): boolean => !/\/(dist|node_modules)$/.test(path);
    for (const path of sources) cpSync(join(ROOT, path), join(copy, path), { recursive: true, filter });
    appendFileSync(join(copy, 'server/src/gen/omendb/v1/vector.ts'), '// changed by hand\n');
    appendFileSync(join(copy, 'alerts/omendb.rules.yml'), '# changed by hand\n');
    put('sdk/src/gen/stray.ts', 'export {};\n');
    const { failed, output } = lint('generated');
    expect(output).to.include('server/src/gen/omendb/v1/vector.ts differs from its source');
    expect(output).to.include('alerts/omendb.rules.yml differs from its source');
    expect(output).to.include('sdk/src/gen/stray.ts comes from no source');
    expect(output).to.include('run "npm run generate"');
    expect(failed).to.equal(true);
  });
});
