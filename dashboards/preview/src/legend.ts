/*
 * The legend below or beside a chart: names, and if the panel wants them some figures of each line.
 */
import type { Panel } from './board.js';
import type { NamedSeries } from './frames.js';
import { format } from './units.js';

const TITLES: Readonly<Record<string, string>> = {
  lastNotNull: 'Last *',
  last: 'Last',
  max: 'Max',
  mean: 'Mean',
  min: 'Min',
  sum: 'Total',
};

/** One figure that stands for a line; null when the line is empty. */
export function reduce(values: readonly (number | null)[], calculation = 'lastNotNull'): number | null {
  const numbers = values.filter((value) => value !== null);
  if (numbers.length === 0) return null;
  const sum = numbers.reduce((all, value) => all + value, 0);
  switch (calculation) {
    case 'max':
      return numbers.reduce((a, b) => Math.max(a, b));
    case 'min':
      return numbers.reduce((a, b) => Math.min(a, b));
    case 'mean':
      return sum / numbers.length;
    case 'sum':
      return sum;
    case 'first':
    case 'firstNotNull':
      return numbers[0] ?? null;
    default:
      return numbers.at(-1) ?? null;
  }
}

export function legendOf(panel: Panel, series: readonly NamedSeries[], isNarrow: boolean): HTMLElement {
  const { displayMode = 'list', calcs: wanted = [] } = panel.options?.legend ?? {};
  // Beside a narrow chart there is room for one figure.
  const calcs = isNarrow ? wanted.slice(0, 1) : wanted;
  const box = element('div', `legend ${displayMode}`);
  if (displayMode === 'table') {
    const table = element('table', '');
    const head = element('tr', '');
    head.append(element('th', '', 'Name'), ...calcs.map((calc) => element('th', '', TITLES[calc] ?? calc)));
    table.append(head);
    for (const one of series) {
      const row = element('tr', '');
      row.append(element('td', 'name'), ...calcs.map((calc) => element('td', 'number', figure(one, calc))));
      row.firstElementChild?.append(mark(one), one.name);
      table.append(row);
    }
    box.append(table);
    return box;
  }
  for (const one of series) {
    const entry = element('span', 'entry');
    const figures = calcs.map((calc) => `${TITLES[calc] ?? calc}: ${figure(one, calc)}`);
    entry.append(mark(one), [one.name, ...figures].join('  '));
    box.append(entry);
  }
  return box;
}

/** An element with a class and a text. */
export function element(tag: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  if (text !== '') made.textContent = text;
  return made;
}

function mark({ colour }: NamedSeries): HTMLElement {
  const line = element('i', 'mark');
  line.style.background = colour;
  return line;
}

function figure({ values, settings }: NamedSeries, calculation: string): string {
  return format(reduce(values, calculation), settings.unit, settings.decimals);
}
