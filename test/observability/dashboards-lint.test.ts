// Each rule about boards refuses a board that breaks it, and says what is wrong.
import { expect } from 'chai';
import type { BoardJson, PanelJson, TargetJson, VariableJson } from '#support/board-json.js';
import { committedBoards } from '#support/board-json.js';
import type { Surroundings } from '#support/board-lint.js';
import { BOARD_LINT_RULES, lintBoard } from '#support/board-lint.js';
import { ALERTS, RECORDED } from '#support/rules.js';

const SELECTOR = '{namespace=~"$namespace",job=~"$job",instance=~"$instance"}';

interface Breach {
  readonly change: (board: BoardJson) => void;
  readonly says: string;
}

const breach = (change: Breach['change'], says: string): Breach => ({ change, says });
/** A query instead of the first one of the board, with a legend. */
const asks = (expr: string, says: string, legendFormat = 'all'): Breach =>
  breach((board) => Object.assign(firstTarget(board), { expr, legendFormat }), says);

const BREACHES: Readonly<Record<string, readonly Breach[]>> = {
  'template-datasource': [
    breach((board) => remove(board, 'datasource'), 'there is no variable $datasource'),
    breach(
      (board) => void (variable(board, 'datasource').query = 'loki'),
      '$datasource is no choice of a Prom',
    ),
    breach((board) => void (variable(board, 'datasource').label = 'Source'), '$datasource is not labelled'),
  ],
  'template-namespace': [
    breach((board) => void (variable(board, 'namespace').allValue = '.+'), '"All" of $namespace is not .*'),
  ],
  'template-job': [
    breach((board) => remove(board, 'job'), 'there is no variable $job'),
    breach((board) => void (variable(board, 'job').multi = false), 'only one value of $job can be chosen'),
  ],
  'template-instance': [
    breach((board) => void (variable(board, 'instance').datasource = { uid: 'mine' }), 'does not ask $datas'),
    breach((board) => void (variable(board, 'instance').label = 'Server'), '$instance is not labelled so'),
  ],
  'template-label-promql': [
    breach(
      (board) => void (variable(board, 'job').query = 'jobs()'),
      '$job asks for no label_values: jobs()',
    ),
    breach(
      (board) => void (variable(board, 'job').query = 'label_values(omendb_info, job)'),
      'there is no metric omendb_info',
    ),
  ],
  'template-on-time-change-reload': [
    breach((board) => void (variable(board, 'job').refresh = 1), '$job is not refreshed when the time range'),
  ],
  'uneditable-dashboard': [breach((board) => void (board.editable = true), 'people can change it in place')],
  'board-title-description': [
    breach((board) => void (board.description = ''), 'title or description is missing'),
    breach((board) => void (board.title = 'Server'), 'title or description is missing'),
  ],
  'panel-ids': [
    breach((board) => void (firstPanel(board).id = 1), 'id 1 is not unique'),
    breach((board) => void (board.panels[0]?.panels ?? []).push({ ...firstPanel(board) }), 'is not unique'),
  ],
  'panel-grid': [
    breach((board) => void (firstPanel(board).gridPos.w = 4), '"Up" and "Ready servers" overlap'),
    breach((board) => void (firstPanel(board).gridPos.x = 22), '"Up" is beside the grid'),
  ],
  'board-links': [
    breach(
      (board) => board.links?.push({ title: 'Disks', url: '/d/omendb-disks' }),
      'links to the board omendb-disks, which does not exist',
    ),
    breach(
      (board) => firstPanel(board).links?.push({ title: 'Disks', url: '/d/omendb-disks?${__all_variables}' }),
      'links to the board omendb-disks, which does not exist',
    ),
  ],
  'annotation-promql': [
    breach(
      (board) => board.annotations.list.push({ name: 'Restarts', expr: 'omendb_restarts > 0' }),
      'there is no metric omendb_restarts',
    ),
  ],
  'panel-datasource': [
    breach((board) => void delete firstPanel(board).datasource, 'it does not ask $datasource'),
  ],
  'panel-title-description': [
    breach((board) => void (firstPanel(board).title = ''), 'it has no title'),
    breach((board) => void (firstPanel(board).description = 'Servers.'), 'its description has no "Normal"'),
    breach((board) => void (firstPanel(board).description = '**Normal:** 1'), 'description has no "If not"'),
  ],
  'panel-units': [
    breach((board) => void (firstPanel(board).fieldConfig = { defaults: {} }), 'there is no unit undefined'),
    breach(
      (board) => void (firstPanel(board).fieldConfig = { defaults: { unit: 'seconds' } }),
      'there is no unit seconds',
    ),
  ],
  'panel-no-targets': [breach((board) => void (firstPanel(board).targets = []), 'it asks for nothing')],
  'panel-ref-ids': [
    breach((board) => void delete firstTarget(board).refId, 'a query has no refId'),
    breach((board) => firstPanel(board).targets?.push({ ...firstTarget(board) }), 'refId A is not unique'),
  ],
  'panel-runbooks': [
    breach(
      (board) => firstPanel(board).links?.push({ title: 'Runbook', url: '${runbooks}/OmenDBAsleep.md' }),
      'links to the runbook of OmenDBAsleep, which does not exist',
    ),
    breach(
      (board) => firstPanel(board).links?.push({ title: 'Runbook', url: '${runbooks}/OmenDBDiskFull.md' }),
      'does not name OmenDBDiskFull',
    ),
  ],
  'panel-exemplars': [
    breach((board) => {
      for (const { targets = [] } of board.panels.filter(({ type }) => type === 'heatmap')) {
        for (const target of targets) target.exemplar = false;
      }
    }, 'All searches: it does not ask for exemplars'),
  ],
  'target-datasource': [
    breach(
      (board) => void (firstTarget(board).datasource = { type: 'loki', uid: '${datasource}' }),
      'it does not ask $datasource',
    ),
  ],
  'target-promql': [
    asks(`sum(up${SELECTOR}`, 'no PromQL at character'),
    asks(`sum(omendb_request_total${SELECTOR})`, 'there is no metric omendb_request_total'),
    asks(
      `sum(rate(omendb_requests_total{route="query",${SELECTOR.slice(1)}[$__rate_interval]))`,
      'omendb_requests_total has no label route',
    ),
    asks(
      `sum(rate(omendb_requests_total{operation="search",${SELECTOR.slice(1)}[$__rate_interval]))`,
      'omendb_requests_total has no operation="search"',
    ),
    asks(
      `sum by (tenant) (rate(omendb_requests_total${SELECTOR}[$__rate_interval]))`,
      'no metric here has the label tenant of by',
    ),
    // The rule target-counter-agg of Grafana's linter.
    asks(`sum(omendb_requests_total${SELECTOR})`, 'omendb_requests_total only grows: look at its rate'),
    asks(
      `job:omendb_requests:rate9m{namespace=~"$namespace",job=~"$job"}`,
      'there is no metric job:omendb_r',
    ),
  ],
  'target-rate-interval': [
    asks(
      `sum(rate(omendb_requests_total${SELECTOR}[5m]))`,
      'looks at 5m, which OmenDB / Server does not say',
    ),
  ],
  'target-job': [
    asks(`max(up{namespace=~"$namespace",instance=~"$instance"})`, 'up is not matched by job=~"$job"'),
    asks(`max(up{job="omendb",namespace=~"$namespace",instance=~"$instance"})`, 'up is not matched by job=~'),
  ],
  'target-instance': [
    asks(`max(up{namespace=~"$namespace",job=~"$job"})`, 'up is not matched by instance=~"$instance"'),
  ],
  'target-namespace': [
    asks(`max(up{job=~"$job",instance=~"$instance"})`, 'up is not matched by namespace=~"$namespace"'),
    asks(`count(ALERTS{alertname=~"OmenDB.+"})`, 'ALERTS is not matched by namespace=~"$namespace"'),
  ],
  'target-legend': [
    asks(`max(up${SELECTOR})`, 'it has no legend', ''),
    asks(`max(up${SELECTOR})`, 'its legend shows instance, which its series do not have', '{{instance}}'),
    asks(`up${SELECTOR}`, 'its legend shows collection, which', '{{instance}} {{collection}}'),
  ],
  'target-fallback': [
    asks(
      `max by (job) (up${SELECTOR}) or label_replace(vector(0), "job", "none", "", "")`,
      'adds its fallback also when there is something',
    ),
  ],
  'target-variables': [asks(`max(up${SELECTOR}) > $least`, 'there is no variable $least')],
};

const overview = committedBoards().find(({ file }) => file === 'omendb-server.json')?.text ?? '';
const known: Surroundings = {
  uids: committedBoards().map(({ file }) => file.replace('.json', '')),
  alerts: ALERTS.map(({ alert }) => alert),
  recorded: RECORDED,
};

describe('The rules about boards', () => {
  it('find nothing in the board that is broken below', () => {
    expect(lintBoard(JSON.parse(overview) as BoardJson, known)).to.deep.equal([]);
  });

  it('are each broken below', () => {
    expect(Object.keys(BREACHES).sort()).to.deep.equal([...BOARD_LINT_RULES].sort());
  });

  for (const [rule, breaches] of Object.entries(BREACHES)) {
    for (const { change, says } of breaches) {
      it(`${rule}: "${says}"`, () => {
        const board = JSON.parse(overview) as BoardJson;
        change(board);
        const found = lintBoard(board, known).filter((line) => line.startsWith(`${rule}: omendb-server: `));
        expect(found.join('\n')).to.include(says);
      });
    }
  }

  it('allow a short window that the legend names', () => {
    const board = JSON.parse(overview) as BoardJson;
    asks(`sum(rate(omendb_requests_total${SELECTOR}[5m]))`, '', 'over 5m').change(board);
    expect(lintBoard(board, known)).to.deep.equal([]);
  });

  it('allow what rules record without an instance', () => {
    const board = JSON.parse(overview) as BoardJson;
    asks('sum(job:omendb_requests:rate5m{namespace=~"$namespace",job=~"$job"})', '').change(board);
    expect(lintBoard(board, known)).to.deep.equal([]);
  });
});

function variable({ templating }: BoardJson, name: string): VariableJson {
  return found(templating.list.find((one) => one.name === name));
}

function remove({ templating }: BoardJson, name: string): void {
  templating.list = templating.list.filter((one) => one.name !== name);
}

function firstPanel({ panels }: BoardJson): PanelJson {
  return found(panels.find(({ type }) => type !== 'row'));
}

function firstTarget(board: BoardJson): TargetJson {
  return found(firstPanel(board).targets?.[0]);
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the overview has changed');
  return value;
}
