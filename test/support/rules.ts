/*
 * The alert rules as the tests of rules, boards and runbooks see them.
 */
import type { AlertRule, RecordingRule, Rule } from '#alerts/render.mjs';
import { readValues, renderRules } from '#alerts/render.mjs';
import type { Recorded } from './known-metrics.js';
import { groupingsOf } from './promql.js';

const rules: readonly Rule[] = renderRules(readValues()).groups.flatMap((group) => group.rules);

/** Every alert, with default values. */
export const ALERTS: readonly AlertRule[] = rules.filter((rule) => rule.alert !== undefined);

export const RECORDINGS: readonly RecordingRule[] = rules.filter((rule) => rule.record !== undefined);

/** Labels of the series that recording rules make: those of their last aggregation. */
export const RECORDED: Recorded = new Map(
  RECORDINGS.map(({ record, expr }) => {
    const labels = groupingsOf(expr).find(({ kind }) => kind === 'by')?.labels ?? [];
    return [record, labels.filter((label) => label !== 'le')];
  }),
);
