/*
 * Queries as Grafana would send them: with the variables of the board replaced by their values.
 */
import type { Board, Variable } from './board.js';

/** Values that stand for what a person would choose. */
export interface Choices {
  /** Seconds that `$__rate_interval` and `$__interval` stand for. */
  readonly rateIntervalSeconds: number;
  /** Seconds that `$__range` stands for. */
  readonly rangeSeconds: number;
  /** By name of the variable; else its own default, or everything. */
  readonly values?: Readonly<Record<string, string>>;
}

/** @param text A query or a legend. */
export function substitute(text: string, board: Board, choices: Choices): string {
  const rate = `${choices.rateIntervalSeconds}s`;
  const known: Record<string, string> = {
    __rate_interval: rate,
    __interval: rate,
    __range: `${choices.rangeSeconds}s`,
    __range_s: String(choices.rangeSeconds),
    __interval_ms: String(choices.rateIntervalSeconds * 1000),
  };
  for (const variable of board.templating?.list ?? []) known[variable.name] = valueOf(variable);
  Object.assign(known, choices.values);
  return text.replace(/\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    return known[braced ?? bare ?? ''] ?? whole;
  });
}

/** What the field of a variable shows. */
export function shownValue(variable: Variable): string {
  const value = valueOf(variable);
  return /^\.[*+]$/.test(value) ? 'All' : value;
}

/** What a variable is when nobody has chosen anything. */
function valueOf({ type, current, query, allValue, includeAll }: Variable): string {
  const chosen = current?.value;
  const value = typeof chosen === 'string' ? chosen : chosen?.join('|');
  if (value !== undefined && value !== '' && value !== '$__all') return value;
  if (includeAll === true || value === '$__all' || type === 'query') return allValue ?? '.*';
  return typeof query === 'string' ? (query.split(',')[0] ?? '').trim() : '.*';
}
