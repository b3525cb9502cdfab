/*
 * Panels that show one figure for each series: big numbers, bars and arcs.
 */
import type { Mapping, Panel } from './board.js';
import type { NamedSeries, PanelData } from './frames.js';
import { element, reduce } from './legend.js';
import { FAINT_TEXT, TEXT, colour, thresholdColour, translucent } from './theme.js';
import { format } from './units.js';

interface Figure {
  readonly series: NamedSeries;
  readonly value: number | null;
  readonly text: string;
  readonly colour: string;
}

export function drawStat(panel: Panel, data: PanelData, into: HTMLElement): void {
  into.classList.add('stats');
  const figures = figuresOf(panel, data);
  const { textMode = 'auto', colorMode = 'value', graphMode = 'area' } = panel.options ?? {};
  // All tiles first: how wide one is depends on how many there are.
  const tiles = figures.map((figure) => ({ ...figure, tile: element('div', 'stat') }));
  into.append(...tiles.map(({ tile }) => tile));
  for (const { series, text, colour: own, tile } of tiles) {
    const isFilled = colorMode.startsWith('background');
    if (isFilled) tile.style.background = `linear-gradient(120deg, ${translucent(own, 0.75)}, ${own})`;
    const isNamed = textMode === 'value_and_name' || (textMode === 'auto' && figures.length > 1);
    if (isNamed) tile.append(element('div', 'name', series.name));
    const value = element('div', 'value', textMode === 'name' ? series.name : text);
    value.style.color = isFilled ? '#ffffff' : colorMode === 'none' ? TEXT : own;
    tile.append(value);
    if (graphMode === 'area') tile.append(sparkline(series, isFilled ? '#ffffff' : own, tile));
    fit(value, tile, isNamed);
  }
}

export function drawBars(panel: Panel, data: PanelData, into: HTMLElement): void {
  into.classList.add('bars');
  const figures = figuresOf(panel, data);
  const most = panel.fieldConfig?.defaults.max ?? Math.max(1e-12, ...figures.map(({ value }) => value ?? 0));
  for (const { series, value, text, colour: own } of figures) {
    const row = element('div', 'bar');
    const track = element('div', 'track');
    const filled = element('div', 'filled');
    filled.style.width = `${Math.min(100, Math.max(0.5, ((value ?? 0) / most) * 100))}%`;
    filled.style.background = `linear-gradient(90deg, ${translucent(own, 0.35)}, ${own})`;
    track.append(filled);
    const words = element('div', 'figure', text);
    words.style.color = own;
    row.append(element('div', 'name', series.name), track, words);
    into.append(row);
  }
}

export function drawGauge(panel: Panel, data: PanelData, into: HTMLElement): void {
  into.classList.add('stats');
  const tiles = figuresOf(panel, data).map((figure) => ({ figure, tile: element('div', 'stat') }));
  into.append(...tiles.map(({ tile }) => tile));
  for (const { figure, tile } of tiles) {
    const canvas = document.createElement('canvas');
    tile.append(canvas);
    drawArc(canvas, tile.clientWidth, tile.clientHeight, panel, figure);
  }
}

function drawArc(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  panel: Panel,
  { series, value, text, colour: own }: Figure,
): void {
  const context = prepared(canvas, width, height);
  const { min = 0, max = 100 } = panel.fieldConfig?.defaults ?? {};
  const radius = Math.min(width / 2, height / 1.6) - 10;
  const [x, y] = [width / 2, height / 2 + radius * 0.25];
  const [from, to] = [Math.PI * 0.85, Math.PI * 2.15];
  const share = Math.min(1, Math.max(0, ((value ?? min) - min) / (max - min)));
  const arc = (start: number, end: number, size: number, stroke: string, thickness: number): void => {
    context.beginPath();
    context.arc(x, y, size, start, end);
    context.strokeStyle = stroke;
    context.lineWidth = thickness;
    context.stroke();
  };
  arc(from, to, radius - 9, 'rgba(204, 204, 220, 0.12)', 16);
  arc(from, from + (to - from) * share, radius - 9, own, 16);
  const { thresholds } = series.settings;
  const steps = thresholds?.steps ?? [];
  steps.forEach((step, i) => {
    const at = (bound: number | null | undefined, other: number): number => {
      if (typeof bound !== 'number') return other;
      const part = thresholds?.mode === 'percentage' ? bound / 100 : (bound - min) / (max - min);
      return from + (to - from) * Math.min(1, Math.max(0, part));
    };
    arc(at(step.value, from), at(steps[i + 1]?.value, to), radius + 3, colour(step.color), 3);
  });
  context.fillStyle = own;
  context.textAlign = 'center';
  context.font = `500 ${Math.max(14, Math.round(radius * 0.38))}px Inter, Arial, sans-serif`;
  context.fillText(text, x, y + radius * 0.12);
  if (series.name === '') return;
  context.fillStyle = FAINT_TEXT;
  context.font = '12px Inter, Arial, sans-serif';
  context.fillText(series.name, x, Math.min(height - 4, y + radius * 0.6));
}

function figuresOf(panel: Panel, data: PanelData): Figure[] {
  const calculation = panel.options?.reduceOptions?.calcs?.[0];
  return data.series.map((series) => {
    const { unit, decimals, thresholds, color, min, max, mappings, noValue } = series.settings;
    const value = reduce(series.values, calculation);
    const mapped = wordFor(mappings ?? [], value);
    const byThreshold = (color?.mode ?? 'thresholds') === 'thresholds';
    return {
      series,
      value,
      text: mapped?.text ?? (value === null ? (noValue ?? 'No data') : format(value, unit, decimals)),
      colour:
        mapped?.color !== undefined
          ? colour(mapped.color)
          : byThreshold
            ? thresholdColour(thresholds, value ?? 0, min, max)
            : series.colour,
    };
  });
}

interface Word {
  readonly text?: string;
  readonly color?: string;
}

/** The word that stands for a value, if there is one. */
export function wordFor(mappings: readonly Mapping[], value: number | null): Word | undefined {
  for (const { type, options } of mappings) {
    if (type === 'value' && value !== null && String(value) in options) return options[String(value)] as Word;
    const { from, to, result, match } = options as {
      readonly from?: number | null;
      readonly to?: number | null;
      readonly result?: Word;
      readonly match?: string;
    };
    if (type === 'range' && value !== null && value >= (from ?? -Infinity) && value <= (to ?? Infinity)) {
      return result;
    }
    if (type === 'special' && value === null && /null|nan|empty/.test(match ?? '')) return result;
  }
  return undefined;
}

/** The way a figure came, drawn faintly behind it. */
function sparkline(series: NamedSeries, stroke: string, tile: HTMLElement): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.className = 'sparkline';
  const [width, height] = [tile.clientWidth, tile.clientHeight * 0.42];
  const context = prepared(canvas, width, height);
  const numbers = series.values.filter((value) => value !== null);
  if (numbers.length < 2) return canvas;
  const [low, high] = [reduce(numbers, 'min') ?? 0, reduce(numbers, 'max') ?? 1];
  const x = (i: number): number => (i / (series.values.length - 1)) * width;
  const y = (value: number): number => height - 3 - ((value - low) / (high - low || 1)) * (height - 8);
  let first: number | undefined;
  let last = 0;
  context.beginPath();
  series.values.forEach((value, i) => {
    if (value === null) return;
    first ??= i;
    last = i;
    context.lineTo(x(i), y(value));
  });
  context.strokeStyle = stroke;
  context.lineWidth = 1.5;
  context.stroke();
  context.lineTo(x(last), height);
  context.lineTo(x(first ?? 0), height);
  context.fillStyle = translucent(stroke, 0.2);
  context.fill();
  return canvas;
}

function prepared(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('the browser has no canvas');
  context.scale(ratio, ratio);
  return context;
}

/** As large as the tile allows. */
function fit(text: HTMLElement, tile: HTMLElement, isNamed: boolean): void {
  const roomHigh = tile.clientHeight * (isNamed ? 0.42 : 0.5);
  let size = Math.min(54, roomHigh);
  text.style.fontSize = `${size}px`;
  while (size > 11 && text.scrollWidth > tile.clientWidth - 16) {
    size -= 1;
    text.style.fontSize = `${size}px`;
  }
}
