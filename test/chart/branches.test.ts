import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readKeys } from '#scripts/chart/values-file.mjs';
import {
  OFFLINE,
  at,
  helm,
  one,
  parseObjects,
  read,
  render,
  renderText,
  scenarios,
  templateArgs,
} from './helm.js';
import type { Branch } from './template-branches.js';
import { markedChart } from './template-branches.js';

const groups = new Set(
  readKeys(read('helm/omendb/values.yaml'))
    .filter(({ leaf }) => !leaf)
    .map(({ path }) => path.join('.')),
);

describe('Branches of the templates', function () {
  this.timeout(120_000);
  let chart: string;
  let branches: readonly Branch[];

  before(() => {
    ({ chart, branches } = markedChart());
  });

  after(() => {
    rmSync(join(chart, '..'), { recursive: true });
  });

  it('are all met, both ways, by a set of values', () => {
    const met = new Set<string>();
    for (const values of scenarios()) {
      const { status, stdout, stderr } = helm('3', templateArgs({ ...values, chart }));
      expect(status, `${values.name}: ${stderr}`).to.equal(0);
      const objects = parseObjects(stdout);
      const marks = one(objects, 'ConfigMap', 'marks');
      for (const id of Object.keys(at(marks, 'data') as object)) met.add(id);
      const rest = objects.filter(({ metadata }) => metadata.name !== 'marks');
      expect(rest, values.name).to.deep.equal(render(values));
    }
    const missed = branches.filter((branch) => !met.has(branch.id) && canBeMet(branch));
    expect(missed.map(({ file, line, text }) => `${file}:${line} ${text}`)).to.deep.equal([]);
    expect(branches.length).to.be.above(150);
  });
});

/**
 * Not for NOTES, which a render does not show, and the validation, whose branches have tests of their own. A
 * range over what is written in the chart is never empty, and neither is a group of values.
 */
function canBeMet({ file, text }: Branch): boolean {
  if (/^(NOTES\.txt|_validate\.tpl)$/.test(file)) return false;
  if (/^not range (\$|\.rules|\(\$\.Files|\.own)/.test(text)) return false;
  const group = /^not with (?:index )?\$?\.Values\.([\w.]+)( \$protocol)?$/.exec(text)?.[1];
  return group === undefined || !groups.has(group);
}

describe('Templates of numbers', function () {
  this.timeout(30_000);

  const evaluate = (expression: string): string => {
    const object = `kind: Answer\\,apiVersion: v1`.replaceAll('\\,', '\n');
    const text = `${object}\nmetadata: { name: answer }\nvalue: "{{ ${expression} }}"`;
    const set = [`extraObjects[0]=${text.replaceAll(/[,{}]/g, String.raw`\$&`)}`];
    return String(one(render({ set }), 'Answer')['value']);
  };

  it('read sizes as Kubernetes writes them', () => {
    const sizes = {
      '512Mi': 2 ** 29,
      '1.5Gi': 1.5 * 2 ** 30,
      '3500M': 35e8,
      '2Ti': 2 ** 41,
      '4k': 4000,
      '100': 100,
    };
    for (const [text, count] of Object.entries(sizes)) {
      expect(evaluate(`include \`omendb.bytes\` \`${text}\``), text).to.equal(String(count));
    }
  });

  it('count whole cores, at least one', () => {
    const cores = { '500m': 1, '2500m': 2, '4': 4, '0.5': 1, '16': 16 };
    for (const [text, count] of Object.entries(cores)) {
      expect(evaluate(`include \`omendb.cores\` \`${text}\``), text).to.equal(String(count));
    }
  });

  it('read times in seconds, rounded up', () => {
    const times = { '250ms': 1, '1500ms': 2, '25s': 25, '2m': 120, '1h': 3600 };
    for (const [text, count] of Object.entries(times)) {
      expect(evaluate(`include \`omendb.seconds\` \`${text}\``), text).to.equal(String(count));
    }
  });
});

describe('Settings', function () {
  this.timeout(30_000);

  it('that are whole numbers are written as such, however large', () => {
    expect(renderText({ files: ['ci/everything-values.yaml'] })).to.include('OMENDB_FOLD_SLOTS: "1000000"');
    expect(renderText({ set: [...OFFLINE, 'config.maxInFlight=100000'] })).to.include(
      'OMENDB_MAX_IN_FLIGHT: "100000"',
    );
  });
});
