/** A board and one of its panels. */
export interface PanelUse {
  board: { file: string; title: string };
  panel: string;
}

/** What reads one family. */
export interface Uses {
  alerts: string[];
  recordings: string[];
  panels: PanelUse[];
  runbooks: string[];
}

/** A rule file of Prometheus. */
export interface ParsedRules {
  groups: readonly { rules: readonly { alert?: string; record?: string; expr: string }[] }[];
}

export interface Panel {
  title?: string;
  panels?: readonly Panel[];
  targets?: readonly { expr?: string }[];
}

/** A dashboard of Grafana. */
export interface ParsedBoard {
  file: string;
  json: { title: string; panels: readonly Panel[] };
}

/**
 * For every family, what reads it. An alert or panel that reads a recording rule reads what the rule reads.
 */
export function usesOf(sources: {
  families: readonly string[];
  rules: readonly ParsedRules[];
  boards: readonly ParsedBoard[];
  runbooks: readonly { name: string; text: string }[];
}): Map<string, Uses>;

/** Every panel of a board, those in rows as well, with its queries. */
export function panelsOf(board: ParsedBoard): (PanelUse & { exprs: string[] })[];

/** The family that a series belongs to; undefined for none. */
export function familyOf(series: string, families: { has(name: string): boolean }): string | undefined;
