// Who uses which metric: alerts, recording rules, panels and runbooks, found by reading them.

const WORD = /[a-zA-Z_][a-zA-Z0-9_:]*/g;
const SUFFIX = /_(bucket|count|sum)$/;

/**
 * For every family, what reads it. An alert or panel that reads a recording rule reads what the rule reads.
 */
export function usesOf({ families, rules, boards, runbooks }) {
  const uses = new Map(
    families.map((name) => [name, { alerts: [], recordings: [], panels: [], runbooks: [] }]),
  );
  const all = rules.flatMap(({ groups }) => groups.flatMap((group) => group.rules));
  const recorded = new Map(all.filter((rule) => rule.record).map((rule) => [rule.record, rule.expr]));
  const note = (text, kind, user) => {
    for (const family of familiesIn(text, uses, recorded)) uses.get(family)[kind].push(user);
  };
  for (const rule of all) note(rule.expr, rule.alert ? 'alerts' : 'recordings', rule.alert ?? rule.record);
  for (const { board, panel, exprs } of boards.flatMap(panelsOf)) {
    note(exprs.join('\n'), 'panels', { board, panel });
  }
  for (const { name, text } of runbooks) note(text, 'runbooks', name);
  return uses;
}

/** Every panel of a board, those in rows as well, with its queries. */
export function panelsOf({ file, json }) {
  const flat = (panels) => panels.flatMap((panel) => [panel, ...flat(panel.panels ?? [])]);
  return flat(json.panels)
    .filter(({ targets }) => targets !== undefined)
    .map(({ title, targets }) => ({
      board: { file, title: json.title },
      panel: title,
      exprs: targets.flatMap(({ expr }) => expr ?? []),
    }));
}

/** The family that a series belongs to; undefined for none. */
export function familyOf(series, families) {
  if (families.has(series)) return series;
  const base = series.replace(SUFFIX, '');
  return families.has(base) ? base : undefined;
}

function familiesIn(text, families, recorded, seen = new Set()) {
  const found = new Set();
  for (const [word] of text.matchAll(WORD)) {
    const family = familyOf(word, families);
    if (family !== undefined) found.add(family);
    else if (recorded.has(word) && !seen.has(word)) {
      seen.add(word);
      for (const below of familiesIn(recorded.get(word), families, recorded, seen)) found.add(below);
    }
  }
  return found;
}
