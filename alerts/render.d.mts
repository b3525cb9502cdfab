/** One alert in alerts/values.yaml. */
export interface AlertValues {
  enabled: boolean;
  severity: string;
  threshold?: string | number;
  for?: string;
  keepFiringFor?: string;
}

/** What alerts/values.yaml holds. */
export interface Values {
  selector: string;
  job: string;
  deploymentSelector: string;
  runbookUrlPrefix: string;
  dashboardUrlPrefix: string;
  additionalLabels: Record<string, string>;
  slo: { availability: string | number; latency: string | number; latencyBound: string | number };
  autoscaling: { cap: string | number; minQueryRate: string | number };
  alerts: Record<string, AlertValues>;
}

export interface RecordingRule {
  record: string;
  expr: string;
  alert?: never;
}

export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  keep_firing_for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  record?: never;
}

export type Rule = RecordingRule | AlertRule;

/** A rule file of Prometheus. */
export interface RuleFile {
  groups: { name: string; rules: Rule[] }[];
}

/** The values of alerts/values.yaml, to be changed at will. */
export function readValues(): Values;
/** The rule file as data. Throws when an alert has no values, when values are for no alert, or when a word has no value. */
export function renderRules(values: Values): RuleFile;
/** The text of a rule file. */
export function rulesText(rules: RuleFile): string;
