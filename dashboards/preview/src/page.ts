/*
 * A board of panels on Grafana's grid: 24 columns, rows of 30 pixels, rows of panels opened.
 */
import type { Board, Panel } from './board.js';
import { drawBars, drawGauge, drawStat } from './figures.js';
import { fetchPanel } from './frames.js';
import type { PanelData, Scene } from './frames.js';
import { drawHeatmap } from './heatmap.js';
import { element } from './legend.js';
import { readPicture } from './pixels.js';
import { drawTable } from './table.js';
import { drawTimeSeries } from './time-series.js';
import { shownValue, substitute } from './variables.js';

const COLUMNS = 24;
const UNIT = 30;
const GAP = 8;

/** What became of one panel. */
export interface DrawnPanel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  /** Series that have at least one value. */
  readonly series: number;
  /** Why it is empty; absent when it is not. */
  readonly problem?: string;
  /** Where its content lies on the page, in pixels. */
  readonly area: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

type Draw = (panel: Panel, data: PanelData, into: HTMLElement) => void;

const DRAWINGS: Readonly<Record<string, Draw>> = {
  timeseries: drawTimeSeries,
  heatmap: drawHeatmap,
  stat: drawStat,
  gauge: drawGauge,
  bargauge: drawBars,
  table: drawTable,
};

/** What the page offers to who opened it, as `globalThis.preview`. */
export interface Preview {
  /** Draws a board and tells what became of each panel. */
  drawBoard(board: Board, scene: Scene): Promise<readonly DrawnPanel[]>;
  readPicture: typeof readPicture;
}
Object.assign(globalThis, { preview: { drawBoard, readPicture } satisfies Preview });

async function drawBoard(board: Board, scene: Scene): Promise<readonly DrawnPanel[]> {
  const root = document.body;
  root.replaceChildren(header(board, scene));
  const grid = element('main', 'grid');
  root.append(grid);
  const { placed, height } = place(board.panels);
  grid.style.height = `${height * (UNIT + GAP)}px`;
  const drawn = await Promise.all(
    placed.map(async ({ panel, y }) => {
      const { x = 0, w = COLUMNS, h = 1 } = panel.gridPos ?? {};
      const box = element('section', panel.type === 'row' ? 'row' : 'panel');
      const column = (grid.clientWidth + GAP) / COLUMNS;
      box.style.left = `${x * column}px`;
      box.style.top = `${y * (UNIT + GAP)}px`;
      box.style.width = `${w * column - GAP}px`;
      box.style.height = `${h * (UNIT + GAP) - GAP}px`;
      grid.append(box);
      if (panel.type !== 'row') return [await drawPanel(panel, board, scene, box)];
      box.textContent = panel.title ?? '';
      return [];
    }),
  );
  return drawn.flat();
}

async function drawPanel(panel: Panel, board: Board, scene: Scene, box: HTMLElement): Promise<DrawnPanel> {
  box.append(element('h2', '', substitute(panel.title ?? '', board, scene)));
  const body = element('div', 'body');
  box.append(body);
  let series = 0;
  let problem: string | undefined;
  try {
    if (panel.type === 'text') {
      body.append(element('div', 'words', panel.options?.content ?? ''));
    } else {
      const draw = DRAWINGS[panel.type];
      if (draw === undefined) throw new Error(`panels of type ${panel.type} are not drawn here`);
      const data = await fetchPanel(panel, board, scene);
      series = data.series.filter(({ values }) => values.some((value) => value !== null)).length;
      if (series === 0) throw new Error('No data');
      draw(panel, data, body);
    }
  } catch (error) {
    problem = (error as Error).message;
    body.replaceChildren(element('div', 'problem', problem));
  }
  const { x, y, width, height } = body.getBoundingClientRect();
  return {
    id: panel.id ?? 0,
    title: panel.title ?? '',
    type: panel.type,
    series,
    ...(problem === undefined ? {} : { problem }),
    area: { x: x + scrollX, y: y + scrollY, width, height },
  };
}

function header(board: Board, scene: Scene): HTMLElement {
  const bar = element('header', '');
  bar.append(element('h1', '', board.title));
  for (const variable of board.templating?.list ?? []) {
    const { name, label = name, type } = variable;
    if (type === 'datasource' || type === 'constant') continue;
    const chip = element('span', 'variable');
    chip.append(element('b', '', label), element('span', '', shownValue(variable)));
    bar.append(chip);
  }
  const minutes = Math.round((scene.end - scene.start) / 60);
  bar.append(element('span', 'period', `Last ${minutes} minute${minutes === 1 ? '' : 's'}`));
  return bar;
}

/**
 * Where panels go when every row is open: a row, then what belongs to it, as high as it is. A closed row
 * holds its panels itself; those of an open one follow it.
 */
function place(panels: readonly Panel[]): { placed: { panel: Panel; y: number }[]; height: number } {
  const sections: { row?: Panel; panels: Panel[] }[] = [{ panels: [] }];
  for (const panel of [...panels].sort((a, b) => (a.gridPos?.y ?? 0) - (b.gridPos?.y ?? 0))) {
    if (panel.type === 'row') sections.push({ row: panel, panels: [...(panel.panels ?? [])] });
    else sections.at(-1)?.panels.push(panel);
  }
  const placed: { panel: Panel; y: number }[] = [];
  let height = 0;
  for (const { row, panels: inside } of sections) {
    if (row !== undefined) placed.push({ panel: row, y: height++ });
    const top = Math.min(...inside.map(({ gridPos }) => gridPos?.y ?? 0));
    for (const panel of inside) placed.push({ panel, y: height + (panel.gridPos?.y ?? 0) - top });
    const ends = inside.map(({ gridPos }) => (gridPos?.y ?? 0) + (gridPos?.h ?? 0));
    if (inside.length > 0) height += Math.max(...ends) - top;
  }
  return { placed, height };
}
