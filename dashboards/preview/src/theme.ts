/*
 * Colours of Grafana's dark theme, so that people recognise what they see.
 */
import type { Thresholds } from './board.js';

export const TEXT = '#ccccdc';
export const FAINT_TEXT = 'rgba(204, 204, 220, 0.65)';
export const GRID = 'rgba(240, 250, 255, 0.09)';
export const PANEL = '#181b1f';

/** What series get, one after the other. */
const PALETTE = [
  ...['#73bf69', '#f2cc0c', '#8ab8ff', '#ff780a', '#f2495c', '#5794f2', '#b877d9', '#ca95e5'],
  ...['#37872d', '#fade2a', '#447ebc', '#fa6400', '#c4162a', '#1f60c4', '#8f3bb8', '#96d98d'],
];

const NAMED: Readonly<Record<string, string>> = {
  green: '#73bf69',
  'dark-green': '#37872d',
  'semi-dark-green': '#56a64b',
  'light-green': '#96d98d',
  'super-light-green': '#c8f2c2',
  yellow: '#fade2a',
  'dark-yellow': '#e0b400',
  'semi-dark-yellow': '#f2cc0c',
  'light-yellow': '#ffee52',
  'super-light-yellow': '#fff899',
  red: '#f2495c',
  'dark-red': '#c4162a',
  'semi-dark-red': '#e02f44',
  'light-red': '#ff7383',
  'super-light-red': '#ffa6b0',
  blue: '#5794f2',
  'dark-blue': '#1f60c4',
  'semi-dark-blue': '#3274d9',
  'light-blue': '#8ab8ff',
  'super-light-blue': '#c0d8ff',
  orange: '#ff9830',
  'dark-orange': '#fa6400',
  'semi-dark-orange': '#ff780a',
  'light-orange': '#ffb357',
  'super-light-orange': '#ffcb7d',
  purple: '#b877d9',
  'dark-purple': '#8f3bb8',
  'semi-dark-purple': '#a352cc',
  'light-purple': '#ca95e5',
  'super-light-purple': '#deb6f2',
  text: TEXT,
  transparent: 'transparent',
};

export function paletteColour(index: number): string {
  return PALETTE[index % PALETTE.length] ?? TEXT;
}

/** @param name A name of Grafana's, or anything that CSS knows. */
export function colour(name: string): string {
  return NAMED[name] ?? name;
}

/** @param hex `#rrggbb`; other colours stay opaque. */
export function translucent(hex: string, opacity: number): string {
  const part = (at: number): number => parseInt(hex.slice(at, at + 2), 16);
  return /^#[\da-f]{6}$/i.test(hex) ? `rgba(${part(1)}, ${part(3)}, ${part(5)}, ${opacity})` : hex;
}

/** The colour of the last step that a value has reached. `min` and `max` matter to steps in percent. */
export function thresholdColour(
  thresholds: Thresholds | undefined,
  value: number,
  min = 0,
  max = 100,
): string {
  const steps = thresholds?.steps ?? [];
  const scaled = thresholds?.mode === 'percentage' ? ((value - min) / (max - min)) * 100 : value;
  const reached = steps.filter((step) => typeof step.value !== 'number' || scaled >= step.value);
  return colour(reached.at(-1)?.color ?? 'green');
}
