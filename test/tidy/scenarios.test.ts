import { expect } from 'chai';
import { expectNone, fileAt, writtenFiles } from './tree.js';

const PAGE = 'server/docs/scenarios.md';
const COUNT = 59;
const TITLE = /\b(?:it|describe)\(\s*(['"`])scenarios? (\d+(?:, \d+)*): ([\s\S]*?)\1,/g;

interface Scenario {
  readonly number: number;
  /** Lines below its own, without the bullet. */
  readonly shownBy: readonly string[];
}

describe('The list of scenarios', () => {
  const listed = parsePage(fileAt(PAGE).lines);
  const tests = writtenFiles()
    .filter(({ path }) => /^test\/.*\.ts$/.test(path))
    .flatMap(({ path, text }) => titlesIn(path, text));

  it(`has each of the ${COUNT}, in order, with a test or with what it waits for`, () => {
    expect(listed.map(({ number }) => number)).to.deep.equal(Array.from({ length: COUNT }, (_, i) => i + 1));
    const silent = listed.filter(({ shownBy }) => shownBy.length === 0);
    expectNone(silent.map(({ number }) => `${PAGE}: scenario ${number}`));
  });

  it('names tests that exist, by their whole title', () => {
    const known = new Set(tests);
    const missing = listed.flatMap(({ number, shownBy }) =>
      shownBy
        .filter((line) => !line.startsWith('waits ') && !known.has(`${number} ${line}`))
        .map((line) => `scenario ${number}: ${line}`),
    );
    expectNone(missing);
  });

  it('names every test whose title begins with a scenario', () => {
    const known = new Set(
      listed.flatMap(({ number, shownBy }) => shownBy.map((line) => `${number} ${line}`)),
    );
    expectNone(tests.filter((test) => !known.has(test)).map((test) => `scenario ${test}`));
  });
});

function parsePage(lines: readonly string[]): readonly Scenario[] {
  const scenarios: { number: number; shownBy: string[] }[] = [];
  for (const line of lines) {
    const number = /^(\d+)\. \S/.exec(line)?.[1];
    if (number !== undefined) scenarios.push({ number: Number(number), shownBy: [] });
    const shownBy = /^\s+- (.+)$/.exec(line)?.[1];
    if (shownBy !== undefined) scenarios.at(-1)?.shownBy.push(shownBy);
  }
  return scenarios;
}

/** `NUMBER FILE: TITLE` for every scenario that a title names, as the page writes it. */
function titlesIn(path: string, text: string): string[] {
  return [...text.matchAll(TITLE)].flatMap(([, , numbers = '', title = '']) =>
    numbers.split(', ').map((number) => `${number} \`${path}\`: \`${title}\``),
  );
}
