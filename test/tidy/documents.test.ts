import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { ERROR_TABLE } from '#server/core/errors.js';
import { LIMITS } from '#server/core/limits.js';
import { OPTIONS } from '#server/config/options.js';
import { renderMarkdown } from '#server/config/render.js';
import { expectNone, fileAt, ROOT, writtenFiles } from './tree.js';
import type { SourceFile } from './tree.js';

const pages = () => writtenFiles().filter(({ path }) => path.endsWith('.md'));
const packageJson = () =>
  JSON.parse(fileAt('package.json').text) as { readonly scripts: Readonly<Record<string, string>> };

describe('Documents', () => {
  it('link to files and headings that exist', () => {
    const broken = pages().flatMap((page) => brokenLinks(page));
    expectNone(broken);
  });

  it('name npm scripts that exist', () => {
    const { scripts } = packageJson();
    const missing = pages().flatMap(({ path, text }) =>
      [...text.matchAll(/npm (?:run ([a-z][\w:-]*)|(start|test)\b)/g)]
        .map((match) => match[1] ?? match[2] ?? '')
        .filter((name) => scripts[name] === undefined)
        .map((name) => `${path}: npm run ${name}`),
    );
    expectNone(missing);
  });

  it('list every npm script in the README', () => {
    const { text } = fileAt('README.md');
    const silent = Object.keys(packageJson().scripts).filter(
      (name) => !new RegExp(`npm (run )?${name}\\b`).test(text),
    );
    expectNone(silent);
  });

  it('name files of this tree that exist', () => {
    const missing = pages().flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:server|sdk|test|proto|scripts|bench|helm)\/[\w./-]+\.\w+)`/g)]
        .map((match) => match[1] ?? '')
        .filter((name) => !existsSync(join(ROOT, name)) && !existsSync(join(ROOT, dirname(path), name)))
        .map((name) => `${path}: ${name}`),
    );
    expectNone(missing);
  });

  it('name settings that exist', () => {
    const known = new Set(Object.values(OPTIONS).flatMap(({ env }) => [env, `${env}_FILE`]));
    const unknown = pages().flatMap(({ path, text }) =>
      [...text.matchAll(/\bOMENDB_[A-Z_]*[A-Z]\b/g)]
        .map(([name]) => name)
        .filter((name) => !known.has(name))
        .map((name) => `${path}: ${name}`),
    );
    expectNone(unknown);
  });

  it('show in the README the settings as the server knows them', () => {
    const region = /<!-- settings:begin -->\n([\s\S]*?)<!-- settings:end -->/.exec(fileAt('README.md').text);
    expect(region?.[1]?.trim(), 'run "npm run generate"').to.equal(renderMarkdown().trim());
  });

  it('explain every error reason, in the proto that clients read', () => {
    const { lines } = fileAt('proto/omendb/v1/errors.proto');
    const silent = Object.keys(ERROR_TABLE).filter((reason) => {
      const at = lines.findIndex((line) => new RegExp(`^\\s*ERROR_REASON_${reason} =`).test(line));
      return at < 1 || !/^\s*\/\/ \S/.test(lines[at - 1] ?? '');
    });
    expectNone(silent);
  });

  it('explain every limit where it is set', () => {
    const { lines } = fileAt('server/src/core/limits.ts');
    const silent = Object.keys(LIMITS).filter((name) => {
      const at = lines.findIndex((line) => line.trim().startsWith(`${name}:`));
      const before = lines[at - 1]?.trim() ?? '';
      // A limit may share the sentence of the one above it, such as a default and its maximum.
      return at < 1 || !(before.endsWith('*/') || /^[a-zA-Z]+: .*,$/.test(before));
    });
    expectNone(silent);
  });
});

function brokenLinks({ path, text }: SourceFile): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = '', heading] = target.split('#');
      const full = file === '' ? join(ROOT, path) : join(ROOT, dirname(path), file);
      if (!existsSync(full)) return true;
      return heading !== undefined && !headings(full.slice(ROOT.length)).has(heading);
    })
    .map((target) => `${path}: ${target}`);
}

/** Anchors as code hosts make them: lower case, spaces to hyphens, other punctuation dropped. */
function headings(path: string): Set<string> {
  const titles = fileAt(path.replace(/^\//, '')).text.matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...titles].map((match) =>
      (match[1] ?? '')
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}
