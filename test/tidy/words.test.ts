import { expectNone, linesMatching, writtenFiles } from './tree.js';

// Written in parts, so that this file does not match itself.
const alternatives = (...words: readonly string[]): string =>
  words.map((word) => word.replaceAll('_', '')).join('|');

describe('Words in the tree', () => {
  it('has no test that is switched off or that switches off the others', () => {
    const tests = writtenFiles().filter(({ path }) => /\.test\.ts$/.test(path));
    const off = new RegExp(
      `\\b(${alternatives('x_it', 'x_describe')})\\(|\\b(it|describe|context)\\.(on_?ly|ski_?p)\\(`,
    );
    expectNone(linesMatching(tests, off));
  });

  it('has no unfinished business without an issue number', () => {
    const mark = new RegExp(`\\b(${alternatives('TO_DO', 'FIX_ME', 'XX_X', 'HA_CK')})\\b(?!.*#\\d+)`);
    expectNone(linesMatching(writtenFiles(), mark));
  });

  it('names no folder of one machine and no host of a package registry', () => {
    const places = new RegExp(
      `(^|[\\s"'\`(=:])/(${alternatives('wo_rk', 'ro_ot', 'ho_me', 'Us_ers')})/` +
        `|${alternatives('registry.np_mjs', 'registry.ya_rnpkg', 'files.pytho_nhosted', 'static.cra_tes.io', 'repo.mav_en')}`,
    );
    expectNone(linesMatching(writtenFiles(), places));
  });

  it('has no sleep in a test: a test waits for a condition', () => {
    const tests = writtenFiles().filter(({ path }) => /^test\/.*\.test\.ts$/.test(path));
    const sleep = /setTimeout\((resolve|done)|timers\/promises|\bsleep\(\d/;
    expectNone(linesMatching(tests, sleep));
  });

  it('has no commented-out code', () => {
    const code = writtenFiles().filter(({ path }) => /\.(ts|mjs|cjs|js)$/.test(path));
    expectNone(
      linesMatching(code, /^\s*\/\/\s*(const|let|import|export|return|if \(|for \(|await)\b.*[;{]\s*$/),
    );
  });
});
