// Rules that would take minutes to fire, made to fire within seconds: only times change, never what is asked.
import { parse, stringify } from 'yaml';

interface Rule {
  expr: string;
  for?: string;
  keep_firing_for?: string;
}
interface RuleFile {
  readonly groups: { interval?: string; readonly rules: Rule[] }[];
}

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
const DURATION = /(\d+)(ms|s|m|h|d|w)/g;

/**
 * Windows of range selectors: at least six scrapes of a second, so that a lost one does no harm, and longer
 * ones stay longer, so that pairs of a long and a short window still differ.
 */
const WINDOWS: readonly (readonly [upTo: number, seconds: number])[] = [
  [120, 6],
  [900, 8],
  [3600, 12],
  [21_600, 16],
  [Infinity, 20],
];

/** The window that stands for one of so many seconds. */
export function shortWindow(seconds: number): number {
  return WINDOWS.find(([upTo]) => seconds <= upTo)?.[1] ?? seconds;
}

/** `for` and `keep_firing_for`: 2 s instead of up to a minute, 3 s instead of longer. */
function shortHold(seconds: number): number {
  return seconds === 0 ? 0 : seconds <= 60 ? 2 : 3;
}

/** @param file Text of a rule file. @returns Text of a rule file with the same rules and short times. */
export function shorten(file: string): string {
  const rules = parse(file) as RuleFile;
  for (const group of rules.groups) {
    delete group.interval;
    for (const rule of group.rules) {
      rule.expr = rule.expr.replace(/\[([^\][:]+)(:[^\]]*)?\]/g, (_, window: string, step?: string) => {
        return `[${shortWindow(secondsOf(window))}s${step === undefined ? '' : ':1s'}]`;
      });
      if (rule.for !== undefined) rule.for = `${shortHold(secondsOf(rule.for))}s`;
      if (rule.keep_firing_for !== undefined) {
        rule.keep_firing_for = `${shortHold(secondsOf(rule.keep_firing_for))}s`;
      }
    }
  }
  return stringify(rules);
}

/** @param duration As Prometheus writes it, such as `1h30m`. */
function secondsOf(duration: string): number {
  const parts = [...duration.matchAll(DURATION)];
  if (parts.map(([part]) => part).join('') !== duration.trim()) throw new Error(`no duration: ${duration}`);
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * SECONDS[unit as keyof typeof SECONDS],
    0,
  );
}
