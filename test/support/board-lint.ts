/*
 * What a board has to be like. The first rules are those of Grafana's dashboard-linter under its names,
 * without the two about LogQL, for which `target-datasource` stands here; the others keep panels apart, links
 * alive and legends filled.
 */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { BoardJson, PanelJson, TargetJson, VariableJson } from './board-json.js';
import { panelsOf, substituted } from './board-json.js';
import type { Recorded } from './known-metrics.js';
import { metricProblems } from './known-metrics.js';
import { groupingsOf, selectorsOf } from './promql.js';

/** What exists outside the board. */
export interface Surroundings {
  readonly uids: readonly string[];
  readonly alerts: readonly string[];
  readonly recorded: Recorded;
}

const DATASOURCE = '${datasource}';
const BUILT_IN = ['__rate_interval', '__url_time_range', '__all_variables'];
const AGGREGATIONS = ['sum', 'min', 'max', 'avg', 'count', 'histogram_quantile'];
const UNITS = new Set<unknown>(Object.values(units));
/** Long enough for any interval between scrapes; the rest follows `$__rate_interval`. */
const LONG_WINDOWS = ['30m', '1h', '6h', '1d', '3d', '30d'];

type BoardRule = (board: BoardJson, known: Surroundings) => string[];
type PanelRule = (panel: PanelJson, board: BoardJson, known: Surroundings) => string[];
type TargetRule = (target: TargetJson, board: BoardJson, known: Surroundings) => string[];

const BOARD_RULES: Readonly<Record<string, BoardRule>> = {
  'template-datasource': (board) =>
    variable(board, 'datasource', ({ type, query, label }) => [
      ...(type === 'datasource' && query === 'prometheus'
        ? []
        : ['$datasource is no choice of a Prometheus']),
      ...(label === 'Data source' ? [] : ['$datasource is not labelled "Data source"']),
    ]),
  'template-namespace': (board) => variable(board, 'namespace', (it) => fromLabel(it, '.*')),
  'template-job': (board) => variable(board, 'job', (it) => fromLabel(it, '.+')),
  'template-instance': (board) => variable(board, 'instance', (it) => fromLabel(it, '.+')),
  'template-label-promql': (board, { recorded }) =>
    queryVariables(board).flatMap(({ name, query = '' }) => {
      const series = /^label_values\((.+), \w+\)$/.exec(query)?.[1];
      if (series === undefined) return [`$${name} asks for no label_values: ${query}`];
      return metricProblems(substituted(series, board), recorded);
    }),
  'template-on-time-change-reload': (board) =>
    queryVariables(board)
      .filter(({ refresh }) => refresh !== 2)
      .map(({ name }) => `$${name} is not refreshed when the time range changes`),
  'uneditable-dashboard': ({ editable }) => (editable === false ? [] : ['people can change it in place']),
  'board-title-description': ({ title, description }) =>
    title.startsWith('OmenDB / ') && (description ?? '') !== '' ? [] : ['title or description is missing'],
  'panel-ids': (board) =>
    repeated(everyPanel(board).map(({ id }) => id)).map((id) => `id ${String(id)} is not unique`),
  'panel-grid': (board) => [
    ...overlaps(board.panels),
    ...board.panels.flatMap(({ panels = [] }) => overlaps(panels)),
  ],
  'board-links': (board, { uids }) =>
    [...(board.links ?? []), ...panelsOf(board).flatMap(({ links = [] }) => links)]
      .flatMap(({ url }) => /^\/d\/([\w-]+)/.exec(url)?.[1] ?? [])
      .filter((uid) => !uids.includes(uid))
      .map((uid) => `links to the board ${uid}, which does not exist`),
  'annotation-promql': (board, { recorded }) =>
    board.annotations.list.flatMap(({ expr }) => promQlProblems(expr, board, recorded)),
};

const PANEL_RULES: Readonly<Record<string, PanelRule>> = {
  'panel-datasource': ({ datasource }) => sourceProblems(datasource),
  'panel-title-description': ({ title = '', description = '' }) => [
    ...(title === '' ? ['it has no title'] : []),
    ...['Normal', 'If not']
      .filter((part) => !new RegExp(`\\*\\*${part}:\\*\\* \\S`).test(description))
      .map((part) => `its description has no "${part}"`),
  ],
  'panel-units': ({ fieldConfig }) => {
    const unit = fieldConfig?.defaults.unit;
    return UNITS.has(unit) ? [] : [`there is no unit ${String(unit)}`];
  },
  'panel-no-targets': ({ targets = [] }) => (targets.length > 0 ? [] : ['it asks for nothing']),
  'panel-ref-ids': ({ targets = [] }) => [
    ...(targets.some(({ refId = '' }) => refId === '') ? ['a query has no refId'] : []),
    ...repeated(targets.map(({ refId }) => refId)).map((refId) => `refId ${String(refId)} is not unique`),
  ],
  'panel-runbooks': ({ links = [], description = '' }, _, { alerts }) => {
    const linked = links.flatMap(({ url }) => /\/(\w+)\.md$/.exec(url)?.[1] ?? []);
    return [
      ...linked
        .filter((alert) => !alerts.includes(alert))
        .map((alert) => `links to the runbook of ${alert}, which does not exist`),
      ...linked.filter((alert) => !description.includes(alert)).map((alert) => `does not name ${alert}`),
    ];
  },
  'panel-exemplars': ({ type, targets = [] }) =>
    type === 'heatmap' && targets.some(({ expr, exemplar }) => TRACED.test(expr) && exemplar !== true)
      ? ['it does not ask for exemplars']
      : [],
};

/** Histograms that keep the trace of a request. */
const TRACED = /omendb_(query|write)_latency_seconds_bucket/;

const TARGET_RULES: Readonly<Record<string, TargetRule>> = {
  'target-datasource': ({ datasource }) => sourceProblems(datasource),
  'target-promql': ({ expr }, board, { recorded }) => promQlProblems(expr, board, recorded),
  'target-rate-interval': ({ expr, legendFormat = '' }, board) =>
    windowsOf(expr)
      .filter((window) => window !== '$__rate_interval' && !LONG_WINDOWS.includes(window))
      .filter((window) => legendFormat !== `over ${window}` && !expr.includes('[1d:1m]'))
      .map((window) => `looks at ${window}, which ${board.title} does not say; use $__rate_interval`),
  'target-job': ({ expr }, board) => withoutMatcher(expr, board, 'job'),
  'target-instance': ({ expr }, board) => withoutMatcher(expr, board, 'instance'),
  'target-namespace': ({ expr }, board) => withoutMatcher(expr, board, 'namespace'),
  'target-legend': ({ expr, legendFormat = '' }, board, { recorded }) => {
    if (legendFormat === '') return ['it has no legend'];
    const query = attempt(() => substituted(expr, board));
    if (query === undefined) return [];
    return [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].flatMap(([, label = '']) =>
      hasLabel(query, label, recorded) ? [] : [`its legend shows ${label}, which its series do not have`],
    );
  },
  'target-fallback': ({ expr }) =>
    / or (?!on \(\) )label_replace\(/.test(expr)
      ? ['adds its fallback also when there is something: or on ()']
      : [],
  'target-variables': ({ expr }, board) =>
    [...expr.matchAll(/\$\{?(\w+)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !BUILT_IN.includes(name) && !board.templating.list.some((it) => it.name === name))
      .map((name) => `there is no variable $${name}`),
};

/** Names of all rules. */
export const BOARD_LINT_RULES: readonly string[] = [BOARD_RULES, PANEL_RULES, TARGET_RULES].flatMap((rules) =>
  Object.keys(rules),
);

/** @returns One line for each breach, as `rule: board: panel: what`. */
export function lintBoard(board: BoardJson, known: Surroundings): string[] {
  const panels = panelsOf(board);
  const lines = (rule: string, place: string, found: readonly string[]) =>
    found.map((problem) => `${rule}: ${board.uid}: ${place}${problem}`);
  return [
    ...Object.entries(BOARD_RULES).flatMap(([rule, check]) => lines(rule, '', check(board, known))),
    ...panels.flatMap((panel) => [
      ...Object.entries(PANEL_RULES).flatMap(([rule, check]) =>
        lines(rule, `${panel.title ?? ''}: `, check(panel, board, known)),
      ),
      ...(panel.targets ?? []).flatMap((target) =>
        Object.entries(TARGET_RULES).flatMap(([rule, check]) =>
          lines(rule, `${panel.title ?? ''}: ${target.refId ?? ''}: `, check(target, board, known)),
        ),
      ),
    ]),
  ];
}

function variable(board: BoardJson, name: string, check: (it: VariableJson) => string[]): string[] {
  const found = board.templating.list.find((it) => it.name === name);
  return found === undefined ? [`there is no variable $${name}`] : check(found);
}

function queryVariables({ templating }: BoardJson): VariableJson[] {
  return templating.list.filter(({ type }) => type === 'query');
}

function fromLabel({ name, type, label, multi, allValue, datasource }: VariableJson, all: string): string[] {
  return [
    ...(type === 'query' && datasource?.uid === DATASOURCE ? [] : [`$${name} does not ask $datasource`]),
    ...(label?.toLowerCase() === name ? [] : [`$${name} is not labelled so`]),
    ...(multi === true ? [] : [`only one value of $${name} can be chosen`]),
    ...(allValue === all ? [] : [`"All" of $${name} is not ${all}`]),
  ];
}

function sourceProblems(source: PanelJson['datasource']): string[] {
  return source?.type === 'prometheus' && source.uid === DATASOURCE ? [] : ['it does not ask $datasource'];
}

function promQlProblems(expr: string, board: BoardJson, recorded: Recorded): string[] {
  try {
    return metricProblems(substituted(expr, board), recorded);
  } catch (error) {
    return [String(error)];
  }
}

function windowsOf(expr: string): string[] {
  return [...expr.matchAll(/\[([^\]:]+)\]/g)].map(([, window = '']) => window);
}

/** Alerts have no `instance` and may have no `job`; what rules record has no `instance`. */
function withoutMatcher(expr: string, board: BoardJson, label: string): string[] {
  const shown = `$${label}`;
  // Kept as a word, so that a matcher with another value is told apart from the variable.
  const kept = expr.replaceAll(shown, `__${label}__`);
  const selectors = attempt(() => selectorsOf(substituted(kept, board))) ?? [];
  return selectors
    .filter(({ metric }) => !(metric === 'ALERTS' && label !== 'namespace'))
    .filter(({ metric }) => !(metric.includes(':') && label === 'instance'))
    .filter(
      ({ matchers }) =>
        !matchers.some((it) => it.label === label && it.op === '=~' && it.value === `__${label}__`),
    )
    .map(({ metric }) => `${metric} is not matched by ${label}=~"${shown}"`);
}

/** Whether an aggregation or a join keeps the label, or a series that is under none has it. */
function hasLabel(query: string, label: string, recorded: Recorded): boolean {
  const selectors = attempt(() => selectorsOf(query));
  if (selectors === undefined) return true;
  const kept = groupingsOf(query).filter(({ kind }) => kind === 'by' || kind === 'group_left');
  if (kept.some(({ labels }) => labels.includes(label))) return true;
  const bare = selectors.filter(({ within }) => !within.some((name) => AGGREGATIONS.includes(name)));
  return bare.some(
    ({ metric, range }) =>
      metricProblems(
        range === undefined ? `count by (${label}) (${metric})` : `count by (${label}) (rate(${metric}[5m]))`,
        recorded,
      ).length === 0,
  );
}

function everyPanel(board: BoardJson): PanelJson[] {
  return board.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
}

function overlaps(panels: readonly PanelJson[]): string[] {
  const problems = panels
    .filter(({ gridPos: { x, y, w, h } }) => x < 0 || y < 0 || w < 1 || h < 1 || x + w > 24)
    .map(({ title }) => `"${title ?? ''}" is beside the grid`);
  panels.forEach((one, index) => {
    for (const other of panels.slice(index + 1)) {
      if (overlap(one.gridPos, other.gridPos))
        problems.push(`"${one.title ?? ''}" and "${other.title ?? ''}" overlap`);
    }
  });
  return problems;
}

function overlap(a: PanelJson['gridPos'], b: PanelJson['gridPos']): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

function repeated<T>(values: readonly T[]): T[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    // The rule about PromQL says so.
    return undefined;
  }
}
