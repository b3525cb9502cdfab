/*
 * A histogram over time: one row a bucket, the brighter the more requests fell into it.
 */
import uPlot from 'uplot';
import type { Panel } from './board.js';
import type { NamedSeries, PanelData } from './frames.js';
import { axes, drawExemplars } from './time-series.js';
import { format } from './units.js';

/** From few to many, as in Grafana's schemes of that name on a dark ground. */
const SCHEMES: Readonly<Record<string, readonly (readonly [number, number, number])[]>> = {
  Oranges: [
    [43, 26, 18],
    [127, 57, 4],
    [217, 95, 14],
    [253, 174, 107],
    [254, 237, 222],
  ],
  Spectral: [
    [50, 60, 130],
    [50, 136, 189],
    [102, 194, 165],
    [254, 224, 139],
    [213, 62, 79],
  ],
};

interface Bucket {
  /** Upper bound. */
  readonly bound: number;
  readonly counts: readonly (number | null)[];
}

export function drawHeatmap(panel: Panel, data: PanelData, into: HTMLElement): void {
  const plot = document.createElement('div');
  plot.className = 'plot';
  into.append(plot);
  const buckets = bucketsOf(data.series);
  const most = buckets.reduce(
    (max, { counts }) => counts.reduce<number>((m, c) => Math.max(m, c ?? 0), max),
    0,
  );
  const scheme = SCHEMES[panel.options?.color?.scheme ?? ''] ?? SCHEMES['Oranges'] ?? [];
  const unit = panel.options?.yAxis?.unit ?? panel.fieldConfig?.defaults.unit ?? 's';
  const every = Math.ceil(buckets.length / Math.max(2, plot.clientHeight / 22));
  const label = (row: number): string => {
    const bound = buckets[row - 1]?.bound;
    return bound === undefined || row % every !== 0 ? '' : format(bound, unit);
  };
  new uPlot(
    {
      width: plot.clientWidth,
      height: plot.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 26, 0, 0],
      scales: { x: { time: true }, y: { range: [0, Math.max(1, buckets.length)] } },
      axes: axes(label, { splits: () => Array.from({ length: buckets.length + 1 }, (_, row) => row) }),
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        draw: [
          (u) => {
            buckets.forEach(({ counts }, row) => {
              drawRow(u, row, counts, (count) => shade(scheme, Math.sqrt(count / most)), data.times);
            });
            drawExemplars(u, data, (value) => u.valToPos(rowOf(buckets, value), 'y', true));
          },
        ],
      },
    },
    [[...data.times], data.times.map(() => 0)],
    plot,
  );
}

/** Buckets count what is below their bound; taken apart, only what is above the one before as well. */
function bucketsOf(series: readonly NamedSeries[]): Bucket[] {
  const bounded = series
    .map(({ labels, name, values }) => ({ text: labels['le'] ?? name, values }))
    .map(({ text, values }) => ({ bound: text === '+Inf' ? Infinity : Number(text), values }))
    .sort((a, b) => a.bound - b.bound);
  const all = bounded.map(({ bound, values }, i) => ({
    bound,
    counts: values.map((value, at) =>
      value === null ? null : Math.max(0, value - (bounded[i - 1]?.values[at] ?? 0)),
    ),
  }));
  // Empty buckets at both ends say nothing and would flatten the others.
  const isUsed = ({ counts }: Bucket): boolean => counts.some((count) => (count ?? 0) > 0);
  const [first, last] = [all.findIndex(isUsed), all.findLastIndex(isUsed)];
  return first < 0 ? [] : all.slice(Math.max(0, first - 1), last + 2);
}

function rowOf(buckets: readonly Bucket[], value: number): number {
  const row = buckets.findIndex(({ bound }) => value <= bound);
  const [low, high] = [buckets[row - 1]?.bound ?? 0, buckets[row]?.bound ?? 1];
  return row + (Number.isFinite(high) ? (value - low) / (high - low) : 0.5);
}

function drawRow(
  u: uPlot,
  row: number,
  counts: readonly (number | null)[],
  colourOf: (count: number) => string,
  times: readonly number[],
): void {
  const { ctx, bbox } = u;
  const width = bbox.width / Math.max(1, times.length - 1);
  const [bottom, top] = [u.valToPos(row, 'y', true), u.valToPos(row + 1, 'y', true)];
  counts.forEach((count, i) => {
    if (count === null || count < 1e-6) return;
    const left = Math.max(bbox.left, u.valToPos(times[i] ?? 0, 'x', true) - width);
    ctx.fillStyle = colourOf(count);
    ctx.fillRect(left, top + 0.5, Math.max(1, width - 0.5), bottom - top - 1);
  });
}

function shade(scheme: readonly (readonly [number, number, number])[], share: number): string {
  const at = Math.min(0.999, Math.max(0, share)) * (scheme.length - 1);
  const [from, to] = [scheme[Math.floor(at)] ?? [0, 0, 0], scheme[Math.ceil(at)] ?? [0, 0, 0]];
  const mixed = from.map((part, i) => Math.round(part + ((to[i] ?? 0) - part) * (at % 1)));
  return `rgb(${mixed.join(', ')})`;
}
