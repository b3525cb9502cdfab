// The alert rules with bounds and times that are reached within seconds. What they ask stays the same.
import { readValues, renderRules, rulesText } from '#alerts/render.mjs';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/**
 * What stands for windows of up to so many seconds. A window holds at least five scrapes, so that a lost one
 * does no harm; longer ones stay longer, so that pairs of a long and a short one still differ.
 */
const WINDOWS: readonly Shorter[] = [
  { upTo: 60, short: '5s' },
  { upTo: 300, short: '6s' },
  { upTo: 3600, short: '9s' },
  { upTo: Infinity, short: '12s' },
];

/** What stands for how long a condition has to hold: longer than a lost scrape or two. */
const HOLD = '4s';

interface Shorter {
  readonly upTo: number;
  readonly short: string;
}

/** Seconds after which a backup is stale. */
export const BACKUP_STALE_SECONDS = 12;

/** Text of a rule file with every alert. */
export function quickRules(): string {
  const values = readValues();
  const stale = values.alerts['OmenDBBackupStale'];
  if (stale === undefined) throw new Error('there is no alert OmenDBBackupStale');
  stale.threshold = String(BACKUP_STALE_SECONDS);
  const { groups } = renderRules(values);
  for (const rule of groups.flatMap(({ rules }) => rules)) {
    rule.expr = rule.expr.replace(/\[(\w+)\]/g, (_, window: string) => `[${shorter(window)}]`);
    if (rule.alert === undefined) continue;
    if (rule.for !== undefined) rule.for = HOLD;
    if (rule.keep_firing_for !== undefined) rule.keep_firing_for = HOLD;
  }
  return rulesText({ groups });
}

/** Text of the rule file as it is shipped. */
export function shippedRules(): string {
  return rulesText(renderRules(readValues()));
}

/** @param text A duration as the rules write it, such as `5m`. */
function shorter(text: string): string {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`no duration: ${text}`);
  const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS];
  return WINDOWS.find(({ upTo }) => seconds <= upTo)?.short ?? text;
}
