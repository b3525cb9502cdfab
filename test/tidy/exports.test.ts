import { exportedDeclarations } from './declarations.js';
import { expectNone, fileAt, writtenFiles } from './tree.js';

const code = () => writtenFiles().filter(({ path }) => /\.(ts|mjs|js)$/.test(path));
const place = ({ path, line, name }: { path: string; line: number; name: string }) =>
  `${path}:${line}: ${name}`;

describe('Exports', () => {
  it('are used somewhere', () => {
    const words = new Map<string, Set<string>>();
    for (const { path, text } of code()) {
      for (const word of new Set(text.match(/[A-Za-z_$][\w$]*/g) ?? [])) {
        const users = words.get(word) ?? new Set();
        words.set(word, users.add(path));
      }
    }
    const product = code().filter(({ path }) =>
      /^(server\/src|test|bench|proto\/codegen)\/.*\.ts$/.test(path),
    );
    const dead = product
      .flatMap((file) => exportedDeclarations(file))
      .filter(({ path, name, isValue }) => {
        if (!isValue || (words.get(name)?.size ?? 0) > 1) return false;
        return fileAt(path).text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length === 1;
      });
    expectNone(dead.map(place));
  });

  it('of ports and of the client are documented', () => {
    const open = code().filter(({ path }) => /^(server\/src\/ports|sdk\/src)\//.test(path));
    const silent = open
      .flatMap((file) => exportedDeclarations(file, true))
      .filter(({ documented }) => !documented);
    expectNone(silent.map(place));
  });

  it('of core are documented when another layer can call them', () => {
    const core = code().filter(({ path }) => path.startsWith('server/src/core/'));
    const silent = core
      .flatMap((file) => exportedDeclarations(file))
      // A table or a type whose name and fields say all needs no sentence; a function always promises
      // something.
      .filter(
        ({ path, name, documented }) =>
          !documented && new RegExp(`export (async )?function\\*? ${name}\\b`).test(fileAt(path).text),
      );
    expectNone(silent.map(place));
  });

  it('of core come from files that open with their purpose', () => {
    const core = code().filter(({ path }) => path.startsWith('server/src/core/'));
    expectNone(core.filter(({ text }) => !/^(\/\*|\/\/)/.test(text)).map(({ path }) => path));
  });
});
