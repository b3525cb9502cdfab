import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { readValues } from '#alerts/render.mjs';
import { CATALOG } from '#server/core/metrics/catalog.js';
import { boardText, boards } from '#dashboards/boards.js';
import type { BoardJson, PanelJson } from '#support/board-json.js';
import { BOARDS_FOLDER, committedBoards, panelsOf, substituted } from '#support/board-json.js';
import type { Surroundings } from '#support/board-lint.js';
import { lintBoard } from '#support/board-lint.js';
import { selectorsOf } from '#support/promql.js';
import { ALERTS, RECORDED } from '#support/rules.js';

const UIDS = [
  'omendb-cost',
  'omendb-engine-pool',
  'omendb-queries',
  'omendb-server',
  'omendb-slo',
  'omendb-storage',
  'omendb-tenants',
];
const KNOWN: Surroundings = { uids: UIDS, alerts: ALERTS.map(({ alert }) => alert), recorded: RECORDED };
/** A ConfigMap holds no more. */
const MIB = 2 ** 20;

const committed = committedBoards();
const parsed = committed.map(({ text }) => JSON.parse(text) as BoardJson);

describe('Dashboards', () => {
  it('are seven, under addresses that alerts and chart rely on', () => {
    expect(parsed.map(({ uid }) => uid)).to.deep.equal(UIDS);
    expect(committed.map(({ file }) => file)).to.deep.equal(UIDS.map((uid) => `${uid}.json`));
    expect(parsed.find(({ uid }) => uid === 'omendb-server')?.title).to.equal('OmenDB / Server');
  });

  it('are committed as their source gives them', () => {
    const fresh = new Map(boards().map((board) => [board.file, boardText(board)]));
    expect([...fresh.keys()].sort()).to.deep.equal(committed.map(({ file }) => file));
    const stale = committed.filter(({ file, text }) => fresh.get(file) !== text).map(({ file }) => file);
    expect(stale, 'run "npm run generate"').to.deep.equal([]);
  });

  it('fit into a ConfigMap', () => {
    for (const { file, text } of committed) expect(text.length, file).to.be.below(MIB / 2);
  });

  for (const { file, text } of committed) {
    describe(file, () => {
      it("is valid against Grafana's JSON schema", () => {
        expect(schemaProblems(JSON.parse(text))).to.deep.equal([]);
      });

      it('breaks no rule', () => {
        const problems = lintBoard(JSON.parse(text) as BoardJson, KNOWN);
        expect(problems, problems.join('\n')).to.deep.equal([]);
      });
    });
  }

  it('show every metric of the catalogue somewhere', () => {
    const shown = new Set(
      parsed.flatMap((board) =>
        panelsOf(board).flatMap(({ targets = [] }) =>
          targets.flatMap(({ expr }) => selectorsOf(substituted(expr, board)).map(({ metric }) => metric)),
        ),
      ),
    );
    const hidden = Object.keys(CATALOG).filter(
      (name) => !['', '_bucket', '_sum', '_count'].some((part) => shown.has(`${name}${part}`)),
    );
    expect(hidden).to.deep.equal([]);
  });

  it('show every alert on the board that it opens, with its runbook', () => {
    const missing = ALERTS.filter(({ alert, annotations }) => {
      const uid = /\/d\/([\w-]+)/.exec(annotations['dashboard_url'] ?? '')?.[1];
      const board = parsed.find((one) => one.uid === uid);
      return board === undefined || !alertsShown(board).includes(alert);
    });
    expect(missing.map(({ alert }) => alert)).to.deep.equal([]);
  });

  it('draw a line where an alert fires, unless it counts in another window than the panel', () => {
    const counted = [
      'OmenDBBackgroundFailing',
      'OmenDBCompactionFailing',
      'OmenDBCrashLooping',
      'OmenDBEngineCrashing',
    ];
    const lineless = Object.entries(readValues().alerts).filter(([alert, { threshold }]) => {
      const panels = parsed
        .flatMap((board) => panelsOf(board))
        .filter((panel) => alertsOf(panel).includes(alert));
      const lines = panels.flatMap(({ fieldConfig }) => fieldConfig?.defaults.thresholds?.steps ?? []);
      return threshold !== undefined && !lines.some(({ value }) => value === Number(threshold));
    });
    expect(lineless.map(([alert]) => alert).sort()).to.deep.equal(counted);
  });

  it('link to the runbooks where the alerts do', () => {
    for (const { templating, uid } of parsed) {
      const runbooks = templating.list.find(({ name }) => name === 'runbooks')?.query;
      expect(runbooks, uid).to.equal(readValues().runbookUrlPrefix);
    }
  });

  it('say 0 and not nothing while no alert fires', () => {
    const overview = parsed.find(({ uid }) => uid === 'omendb-server');
    const firing = overview?.panels.find(({ title }) => title === 'Firing alerts');
    expect(firing?.targets?.[0]?.expr).to.match(/^count\(ALERTS\{.*alertstate="firing"\}\) or vector\(0\)$/);
  });

  it('answer in the first line of the overview whether it is up, failing, slow or full', () => {
    const overview = parsed.find(({ uid }) => uid === 'omendb-server');
    const first = overview?.panels.filter(({ gridPos }) => gridPos.y === 1) ?? [];
    expect(first.map(({ title }) => title)).to.deep.equal([
      'Up',
      'Ready servers',
      'Firing alerts',
      'Failing requests',
      'Error budget left',
      'P99 of searches',
      'Full',
    ]);
    expect(first.every(({ type }) => type === 'stat' || type === 'bargauge')).to.equal(true);
  });

  it('match series without a namespace when all are chosen', () => {
    for (const board of parsed) {
      for (const { targets = [] } of panelsOf(board)) {
        for (const { expr } of targets) {
          if (expr.includes('namespace=~')) expect(substituted(expr, board)).to.include('namespace=~".*"');
        }
      }
    }
  });
});

describe("Grafana's JSON schema", () => {
  it('refuses a board with a wrong or an unknown field', () => {
    const [board] = parsed;
    expect(schemaProblems({ ...board, schemaVersion: 'new' })).to.deep.equal([
      '/schemaVersion must be integer',
    ]);
    expect(schemaProblems({ ...board, colour: 'red' })).to.deep.equal([
      ' must NOT have additional properties',
    ]);
  });
});

const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(
  JSON.parse(readFileSync(`${BOARDS_FOLDER}third_party/dashboard.jsonschema.json`, 'utf8')) as object,
);

function schemaProblems(board: unknown): string[] {
  validate(board);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}

function alertsShown(board: BoardJson): string[] {
  return panelsOf(board).flatMap(alertsOf);
}

function alertsOf({ links = [] }: PanelJson): string[] {
  return links.flatMap(({ url }) => /\/(\w+)\.md$/.exec(url)?.[1] ?? []);
}
