import { expectNone, linesMatching, writtenFiles } from './tree.js';

const CODE = /\.(ts|js|mjs|cjs|proto|sh)$/;

describe('Layout of the tree', () => {
  it('keeps files of code at 400 lines or less', () => {
    const long = writtenFiles().filter(({ path, lines }) => CODE.test(path) && lines.length - 1 > 400);
    expectNone(long.map(({ path, lines }) => `${path}: ${lines.length - 1} lines`));
  });

  it('keeps lines of code at 110 columns, or 140 where a text or pattern cannot be folded', () => {
    const code = writtenFiles().filter(({ path }) => /\.(ts|js|mjs|cjs|sh)$/.test(path));
    const wide = linesMatching(code, /^.{111,}$/u).filter(
      (line) => isComment(line) || !/['"`]|\/.+\/[a-z]*/.test(line),
    );
    expectNone([...wide, ...linesMatching(code, /^.{141,}$/u).filter((line) => !isComment(line))]);
  });

  it('ends every file with one line feed and has no spaces at line ends', () => {
    const code = writtenFiles();
    const ends = code.filter(({ text }) => text !== '' && (!text.endsWith('\n') || text.endsWith('\n\n')));
    expectNone(ends.map(({ path }) => path));
    expectNone(linesMatching(code, /[ \t]+$/));
  });

  it('names files in kebab-case, after what they hold', () => {
    const code = writtenFiles().filter(({ path }) =>
      /^(server|sdk|test|bench|proto\/codegen)\/.*\.ts$/.test(path),
    );
    const bad = code.filter(({ path }) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const vague = /(^|[/-])(utils?|helpers?|common|misc|managers?|impl)([-./]|$)/.test(path);
      return vague || !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.ts$/.test(name);
    });
    expectNone(bad.map(({ path }) => path));
  });

  it('names no class, interface or function Manager, Helper, Util, Impl or I-something', () => {
    const code = writtenFiles().filter(({ path }) => /\.ts$/.test(path));
    const declared =
      /^\S+: (?:export )?(?:abstract )?(class|interface|type|function|const)\s+(I[A-Z][a-z]\w*|\w*(Manager|Helper|Util|Utils|Impl))\b/;
    expectNone(linesMatching(code, /^/).filter((line) => declared.test(line)));
  });
});

/** Of a line as `linesMatching` gives it. */
function isComment(line: string): boolean {
  return /^\S+:\d+: (\/\/|\/?\*)/.test(line);
}
