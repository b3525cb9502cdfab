/*
 * From the answers of Prometheus to named series: what a legend, a unit or an override says about each of
 * them.
 */
import type { Board, FieldSettings, Panel, Target } from './board.js';
import { colour, paletteColour, thresholdColour } from './theme.js';
import type { Choices } from './variables.js';
import { substitute } from './variables.js';

/** One line of a panel. All series of a panel have a value, or null, at the same times. */
export interface NamedSeries {
  readonly refId: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly (number | null)[];
  /** What the panel says about it, overrides included. */
  readonly settings: FieldSettings;
  readonly colour: string;
}

export interface PanelData {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly NamedSeries[];
  readonly exemplars: readonly Exemplar[];
}

/** One request that was traced. */
export interface Exemplar {
  readonly seconds: number;
  readonly value: number;
}

/** What is drawn: when, how finely, and from where. */
export interface Scene extends Choices {
  /** `http://HOST:PORT` of Prometheus. */
  readonly prometheus: string;
  /** Seconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

interface Answer {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

/** Asks every query of a panel. Rejects with what Prometheus says when it refuses one. */
export async function fetchPanel(panel: Panel, board: Board, scene: Scene): Promise<PanelData> {
  const count = Math.floor((scene.end - scene.start) / scene.step) + 1;
  const times = Array.from({ length: count }, (_, i) => scene.start + i * scene.step);
  const series: NamedSeries[] = [];
  const exemplars: Exemplar[] = [];
  for (const target of panel.targets ?? []) {
    if (target.expr === undefined || target.hide === true) continue;
    const query = substitute(target.expr, board, scene);
    const window = { start: String(scene.start), end: String(scene.end), step: String(scene.step) };
    const instant = target.instant === true && target.range !== true;
    const answers = instant
      ? await askNow(scene.prometheus, query, window.end)
      : await askRange(scene.prometheus, query, window);
    for (const answer of answers) {
      const values = new Array<number | null>(count).fill(null);
      for (const [at, text] of answer.values) {
        const number = Number(text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : text);
        values[Math.round((at - scene.start) / scene.step)] = Number.isFinite(number) ? number : null;
      }
      const name = substitute(legend(target, answer.metric, query), board, scene);
      series.push(describe(panel, target, name, answer.metric, values, series.length));
    }
    if (target.exemplar === true) exemplars.push(...(await askExemplars(scene.prometheus, query, window)));
  }
  return { times, series, exemplars };
}

function describe(
  panel: Panel,
  target: Target,
  name: string,
  labels: NamedSeries['labels'],
  values: NamedSeries['values'],
  index: number,
): NamedSeries {
  const refId = target.refId ?? 'A';
  const settings = settingsOf(panel, name, refId);
  const last = values.findLast((value) => value !== null) ?? 0;
  const { mode = 'palette-classic', fixedColor } = settings.color ?? {};
  const own =
    mode === 'fixed' && fixedColor !== undefined
      ? colour(fixedColor)
      : mode === 'thresholds'
        ? thresholdColour(settings.thresholds, last, settings.min, settings.max)
        : paletteColour(index);
  return { refId, name: settings.displayName ?? name, labels, values, settings, colour: own };
}

/** What holds for a field of this name: the defaults of the panel, then every override that matches. */
export function settingsOf(panel: Panel, name: string, refId: string): FieldSettings {
  let settings: Record<string, unknown> = { ...panel.fieldConfig?.defaults };
  for (const { matcher, properties } of panel.fieldConfig?.overrides ?? []) {
    if (!matches(matcher, name, refId)) continue;
    for (const { id, value } of properties) {
      const [first = '', second] = id.split('.');
      settings =
        second === undefined
          ? { ...settings, [first]: value }
          : { ...settings, [first]: { ...(settings[first] as object | undefined), [second]: value } };
    }
  }
  return settings as FieldSettings;
}

function matches(matcher: { id: string; options?: unknown }, name: string, refId: string): boolean {
  const wanted = String(matcher.options);
  if (matcher.id === 'byName') return wanted === name;
  if (matcher.id === 'byNames') {
    return (matcher.options as { names?: readonly string[] }).names?.includes(name) === true;
  }
  if (matcher.id === 'byRegexp') return new RegExp(wanted.replace(/^\/|\/[a-z]*$/g, '')).test(name);
  if (matcher.id === 'byFrameRefID') return wanted === refId;
  return false;
}

function legend(target: Target, metric: Answer['metric'], query: string): string {
  const format = target.legendFormat;
  if (format !== undefined && format !== '' && format !== '__auto') {
    return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => metric[label] ?? '');
  }
  const labels = Object.entries(metric).filter(([label]) => label !== '__name__');
  if (labels.length === 1) return labels[0]?.[1] ?? '';
  if (labels.length === 0) return metric['__name__'] ?? query;
  return `{${labels.map(([label, value]) => `${label}="${value}"`).join(', ')}}`;
}

type Form = Record<string, string>;

async function askRange(url: string, query: string, window: Form): Promise<readonly Answer[]> {
  const { result } = await ask<{ result: Answer[] }>(url, 'query_range', { query, ...window });
  return result;
}

/** Only such answers are in the order that the query gave them. */
async function askNow(url: string, query: string, time: string): Promise<readonly Answer[]> {
  const { result } = await ask<{ result: (Answer & { value: Answer['values'][number] })[] }>(url, 'query', {
    query,
    time,
  });
  return result.map(({ metric, value }) => ({ metric, values: [value] }));
}

async function askExemplars(url: string, query: string, window: Form): Promise<readonly Exemplar[]> {
  const series = await ask<{ exemplars: { timestamp: number; value: string }[] }[]>(url, 'query_exemplars', {
    query,
    ...window,
  });
  return series.flatMap(({ exemplars }) =>
    exemplars.map(({ timestamp, value }) => ({ seconds: timestamp, value: Number(value) })),
  );
}

async function ask<T>(url: string, path: string, form: Form): Promise<T> {
  const response = await fetch(`${url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(form) });
  const answer = (await response.json()) as { status: string; error?: string; data: T };
  if (answer.status !== 'success') throw new Error(answer.error ?? 'Prometheus refused the query');
  return answer.data;
}
