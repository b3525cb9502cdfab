/*
 * Tables: one row a set of labels, one column a label or a query.
 */
import type { Panel } from './board.js';
import { wordFor } from './figures.js';
import type { PanelData } from './frames.js';
import { settingsOf } from './frames.js';
import { element, reduce } from './legend.js';
import { thresholdColour } from './theme.js';
import { format } from './units.js';

type Cell = string | number | null;

/** How many rows fit; the rest would be reached by scrolling. */
const ROWS = 40;

export function drawTable(panel: Panel, data: PanelData, into: HTMLElement): void {
  const rows = sorted(panel, rowsOf(panel, data));
  const columns = arranged(panel, [...new Set(rows.flatMap((row) => Object.keys(row)))]);
  const table = element('table', 'table');
  const head = element('tr', '');
  head.append(...columns.map(({ title }) => element('th', '', title)));
  table.append(head);
  for (const row of rows.slice(0, ROWS)) {
    const line = element('tr', '');
    line.append(...columns.map(({ source, title }) => cell(panel, title, row[source] ?? null)));
    table.append(line);
  }
  into.append(table);
}

function cell(panel: Panel, title: string, value: Cell): HTMLElement {
  if (typeof value !== 'number') return element('td', '', value ?? '');
  const { unit, decimals, thresholds, mappings, min, max, ...rest } = settingsOf(panel, title, '');
  const word = wordFor(mappings ?? [], value);
  const made = element('td', 'number', word?.text ?? format(value, unit, decimals));
  const { cellOptions } = (rest.custom ?? {}) as { cellOptions?: { type?: string } };
  if (cellOptions?.type?.startsWith('color') === true) {
    made.style[cellOptions.type === 'color-text' ? 'color' : 'background'] = thresholdColour(
      thresholds,
      value,
      min,
      max,
    );
  }
  return made;
}

/** Rows of the same labels are one row, as `merge` and `joinByField` make them. */
function rowsOf(panel: Panel, data: PanelData): Record<string, Cell>[] {
  const queries = new Set(data.series.map(({ refId }) => refId));
  const rows = new Map<string, Record<string, Cell>>();
  for (const { labels, refId, values } of data.series) {
    const named = Object.entries(labels).filter(([label]) => label !== '__name__');
    const joined = (panel.transformations ?? []).find(({ id }) => id === 'joinByField')?.options?.['byField'];
    const key = typeof joined === 'string' ? (labels[joined] ?? '') : JSON.stringify(named.sort());
    const row = rows.get(key) ?? {};
    Object.assign(row, Object.fromEntries(named));
    row[queries.size > 1 ? `Value #${refId}` : 'Value'] = reduce(values);
    rows.set(key, row);
  }
  return [...rows.values()];
}

interface Organize {
  readonly excludeByName?: Readonly<Record<string, boolean>>;
  readonly includeByName?: Readonly<Record<string, boolean>>;
  readonly indexByName?: Readonly<Record<string, number>>;
  readonly renameByName?: Readonly<Record<string, string>>;
}

function arranged(panel: Panel, names: readonly string[]): { source: string; title: string }[] {
  const { excludeByName = {}, includeByName = {}, indexByName = {}, renameByName = {} } = organizeOf(panel);
  const chosen = Object.keys(includeByName).filter((name) => includeByName[name] === true);
  return names
    .filter((name) => excludeByName[name] !== true && (chosen.length === 0 || chosen.includes(name)))
    .sort((a, b) => (indexByName[a] ?? 99) - (indexByName[b] ?? 99))
    .map((name) => {
      const title = renameByName[name] ?? name;
      return { source: name, title: settingsOf(panel, title, '').displayName ?? title };
    });
}

function organizeOf(panel: Panel): Organize {
  return ((panel.transformations ?? []).find(({ id }) => id === 'organize')?.options ?? {}) as Organize;
}

function sorted(panel: Panel, rows: Record<string, Cell>[]): Record<string, Cell>[] {
  const [by] = panel.options?.sortBy ?? [];
  const { renameByName = {} } = organizeOf(panel);
  const source =
    Object.entries(renameByName).find(([, title]) => title === by?.displayName)?.[0] ?? by?.displayName;
  if (source === undefined) return rows;
  const sign = by?.desc === true ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [a[source] ?? '', b[source] ?? ''];
    return (
      sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)))
    );
  });
}
