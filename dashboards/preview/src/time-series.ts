/*
 * Lines over time, with areas, stacks, threshold lines, exemplars and a legend.
 */
import uPlot from 'uplot';
import type { Panel } from './board.js';
import type { NamedSeries, PanelData } from './frames.js';
import { legendOf } from './legend.js';
import { FAINT_TEXT, GRID, TEXT, colour, translucent } from './theme.js';
import { format } from './units.js';

/** Pixels below which a panel has no room for a wide legend. */
const NARROW = 700;
const FONT = '11px Inter, "Helvetica Neue", Arial, sans-serif';

export function drawTimeSeries(panel: Panel, data: PanelData, into: HTMLElement): void {
  const shown = data.series.filter(({ settings }) => settings.custom?.hidden !== true);
  const plot = document.createElement('div');
  plot.className = 'plot';
  into.append(plot);
  const legend = panel.options?.legend;
  if (legend?.showLegend !== false && legend?.displayMode !== 'hidden') {
    const isBeside = legend?.placement === 'right';
    into.classList.toggle('legend-right', isBeside);
    into.append(legendOf(panel, shown, isBeside && into.clientWidth < NARROW));
  }
  const settings = panel.fieldConfig?.defaults ?? {};
  const unit = shown[0]?.settings.unit ?? settings.unit;
  const stacked = shown.some((series) => isStacked(series));
  const columns = stacked ? stack(shown) : shown.map(({ values }) => [...values]);
  const steps = (settings.thresholds?.steps ?? []).filter((step) => typeof step.value === 'number');
  const incrs = stepsOf(unit, settings.decimals);
  const lines = (settings.custom?.thresholdsStyle?.mode ?? 'off') === 'off' ? [] : steps;
  new uPlot(
    {
      width: plot.clientWidth,
      height: plot.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 26, 0, 0],
      scales: {
        x: { time: true },
        y:
          settings.custom?.scaleDistribution?.type === 'log'
            ? { distr: 3, log: 10 }
            : {
                range: (_, low, high) =>
                  yRange(
                    panel,
                    low,
                    high,
                    lines.map((step) => step.value ?? 0),
                  ),
              },
      },
      axes: axes((value) => format(value, unit, settings.decimals), incrs === undefined ? {} : { incrs }),
      series: [{}, ...shown.map((series) => lineOf(series, stacked))],
      ...(stacked
        ? { bands: shown.slice(1).map((_, i) => ({ series: [i + 2, i + 1] as [number, number] })) }
        : {}),
      hooks: {
        draw: [
          (u) => {
            for (const step of lines) drawThreshold(u, step.value ?? 0, colour(step.color));
            drawExemplars(u, data, (value) => u.valToPos(value, 'y', true));
          },
        ],
      },
    },
    [[...data.times], ...columns],
    plot,
  );
}

/** Axes as both kinds of charts have them. */
export function axes(write: (value: number) => string, y: uPlot.Axis = {}): uPlot.Axis[] {
  const common = { stroke: FAINT_TEXT, font: FONT, grid: { stroke: GRID, width: 1 }, ticks: { show: false } };
  return [
    { ...common, size: 28, space: 72, values: (_, at) => at.map((seconds) => clock(seconds)) },
    {
      ...common,
      size: (_, values) => Math.max(34, ...(values ?? []).map((text) => text.length * 6.3 + 14)),
      values: (_, at) => at.map((value) => (value === null ? '' : write(value))),
      space: 26,
      ...y,
    },
  ];
}

/**
 * Distances between lines of the grid that leave round numbers: powers of two for bytes, whole ones for
 * counts.
 */
function stepsOf(unit: string | undefined, decimals: number | undefined): number[] | undefined {
  const powers = Array.from({ length: 50 }, (_, power) => power);
  if (unit === 'bytes' || unit === 'binBps') return powers.map((power) => 2 ** power);
  if (decimals === 0 && unit !== 'percent' && unit !== 'percentunit') {
    return powers.slice(0, 12).flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));
  }
  return undefined;
}

/** Small marks where a request was traced. */
export function drawExemplars(u: uPlot, data: PanelData, yOf: (value: number) => number): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = TEXT;
  ctx.fillStyle = '#1f60c4';
  for (const { seconds, value } of data.exemplars) {
    const [x, y] = [u.valToPos(seconds, 'x', true), yOf(value)];
    ctx.beginPath();
    ctx.moveTo(x, y - 4);
    ctx.lineTo(x + 4, y);
    ctx.lineTo(x, y + 4);
    ctx.lineTo(x - 4, y);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

function isStacked({ settings }: NamedSeries): boolean {
  return !['none', undefined].includes(settings.custom?.stacking?.mode);
}

function stack(shown: readonly NamedSeries[]): (number | null)[][] {
  let below: number[] = [];
  return shown.map(({ values }) => {
    below = values.map((value, i) => (below[i] ?? 0) + (value ?? 0));
    return below;
  });
}

function lineOf(series: NamedSeries, stacked: boolean): uPlot.Series {
  const { custom } = series.settings;
  const opacity = (custom?.fillOpacity ?? 0) / 100;
  const step = custom?.lineInterpolation === 'stepAfter' ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  const bars = custom?.drawStyle === 'bars' ? uPlot.paths.bars?.({ size: [0.8, 20] }) : undefined;
  const paths = bars ?? step;
  return {
    stroke: series.colour,
    width: custom?.lineWidth ?? 1,
    points: { show: custom?.drawStyle === 'points', size: 4, fill: series.colour },
    spanGaps: false,
    ...(opacity > 0 || stacked
      ? { fill: translucent(series.colour, Math.max(opacity, stacked ? 0.1 : 0)) }
      : {}),
    ...(custom?.lineStyle?.fill === 'dash' ? { dash: [8, 6] } : {}),
    ...(paths === undefined ? {} : { paths }),
  };
}

/** Thresholds are part of what has to be seen, unless all values lie far below them. */
function yRange(panel: Panel, low: number, high: number, lines: readonly number[]): [number, number] {
  const { min, max, custom } = panel.fieldConfig?.defaults ?? {};
  const near = lines.filter((line) => line <= Math.max(high * 4, 1e-9));
  const top = Math.max(high, custom?.axisSoftMax ?? -Infinity, ...near);
  const bottom = Math.min(low, custom?.axisSoftMin ?? Infinity, low >= 0 && low < top * 0.75 ? 0 : low);
  const space = top === bottom ? Math.abs(top) * 0.1 || 1 : (top - bottom) * 0.06;
  return [
    min ?? (bottom >= 0 ? Math.max(0, bottom === 0 ? 0 : bottom - space) : bottom - space),
    max ?? top + space,
  ];
}

function drawThreshold(u: uPlot, value: number, stroke: string): void {
  const y = u.valToPos(value, 'y', true);
  const { ctx, bbox } = u;
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.setLineDash([6, 5]);
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}
