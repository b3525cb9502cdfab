// Finds what texts say about metrics, rules, alerts and boards, and whether there is such a thing. Works on
// any catalogue, so that a test can rename something and see who notices.

/** What there is. */
export interface KnownNames {
  readonly families: ReadonlyMap<string, KnownFamily>;
  readonly recordings: ReadonlySet<string>;
  /** Metrics that the adapter for Kubernetes makes of ours. */
  readonly adapted: ReadonlySet<string>;
  readonly alerts: ReadonlySet<string>;
  /** Uids. */
  readonly boards: ReadonlySet<string>;
  /** Titles of panels by the title of their board. */
  readonly panels: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface KnownFamily {
  readonly type: string;
  /** Values by label; null: any. */
  readonly labels: ReadonlyMap<string, readonly string[] | null>;
}

export interface TextFile {
  /** From the root of the tree, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Set by Prometheus or its operator on every series. */
const TARGET_LABELS = ['job', 'instance', 'namespace', 'pod', 'service', 'container', 'endpoint', '__name__'];
const METRIC = /(?<![\w:./$-])(?:omendb|nodejs|process)_[a-z0-9_]*[a-z0-9](?![\w:])(?!\/|\.\w)/g;
const GREP = /grep (?:-\w+ )*['"]?\^?$/;
const RECORDING = /(?<![\w:])[a-z_]+:omendb_[a-z0-9_]+:[a-z0-9_]+/g;
const ALERT = /(?<!\w)OmenDB[A-Z]\w+/g;
const SELECTOR = /(?<![\w:])((?:omendb|nodejs|process)_[a-z0-9_]+)\{([^{}]*)\}/g;
const MATCHER = /([a-z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g;
/** As runbooks write it: `Board: OmenDB / Server: Searches in memory`. */
const PANEL = /Board: (OmenDB \/ [^:\n]+): (.+)/g;
const BOARD_TITLE = /OmenDB \/ .*/g;
const BOARD = /\/d\/([a-z0-9-]+)/g;

/** Every mention of something that does not exist, a line each. */
export function unknownMentions(file: TextFile, known: KnownNames): string[] {
  const plain = plainOf(file);
  const found = new Set<string>();
  for (const { 0: word, index } of plain.matchAll(METRIC)) {
    // Who looks through the page of metrics may look for several at once.
    const isBeginning = GREP.test(plain.slice(0, index)) && [...known.families.keys()].some(beginsWith(word));
    if (!isBeginning && !isMetric(word, known)) found.add(`there is no metric ${word}`);
  }
  for (const [word] of plain.matchAll(RECORDING)) {
    if (!known.recordings.has(word)) found.add(`there is no recording rule ${word}`);
  }
  for (const [word] of plain.matchAll(ALERT)) {
    if (!known.alerts.has(word)) found.add(`there is no alert ${word}`);
  }
  for (const [, uid = ''] of plain.matchAll(BOARD)) {
    if (!known.boards.has(uid)) found.add(`there is no board ${uid}`);
  }
  for (const [line] of plain.matchAll(BOARD_TITLE)) {
    if (![...known.panels.keys()].some((title) => line.startsWith(title)))
      found.add(`there is no board ${line}`);
  }
  for (const [, board = '', panel = ''] of plain.matchAll(PANEL)) {
    if (known.panels.get(board)?.has(panel.trim()) !== true)
      found.add(`there is no panel ${board}: ${panel}`);
  }
  for (const [, series = '', matchers = ''] of plain.matchAll(SELECTOR)) {
    for (const problem of selectorProblems(series, matchers, known)) found.add(problem);
  }
  return [...found].map((problem) => `${file.path}: ${problem}`);
}

/** Whether a text names a family, alone or with what exposition adds. */
export function mentionsFamily(file: TextFile, family: string): boolean {
  return [...plainOf(file).matchAll(METRIC)].some(([word]) => word === family || baseOf(word) === family);
}

const PLAIN = new WeakMap<TextFile, string>();

/** The text of a file, or all texts in it when it is JSON. */
function plainOf(file: TextFile): string {
  const known = PLAIN.get(file);
  if (known !== undefined) return known;
  const plain = file.path.endsWith('.json') ? stringsIn(JSON.parse(file.text)).join('\n') : file.text;
  PLAIN.set(file, plain);
  return plain;
}

function beginsWith(beginning: string): (name: string) => boolean {
  return (name) => name.startsWith(`${beginning}_`);
}

function isMetric(word: string, { families, recordings, adapted }: KnownNames): boolean {
  if (families.has(word) || recordings.has(word) || adapted.has(word)) return true;
  return families.get(baseOf(word))?.type === 'histogram';
}

function baseOf(word: string): string {
  return word.replace(/_(bucket|sum|count)$/, '');
}

function selectorProblems(series: string, matchers: string, { families }: KnownNames): string[] {
  const family = families.get(series) ?? families.get(baseOf(series));
  if (family === undefined) return [];
  return [...matchers.matchAll(MATCHER)].flatMap(([, label = '', op = '', value = '']) => {
    if (TARGET_LABELS.includes(label) || (label === 'le' && family.type === 'histogram')) return [];
    const values = family.labels.get(label);
    if (values === undefined) return [`${series} has no label ${label}`];
    // A variable of a board, or a word that is filled in later.
    if (values === null || /[$<]/.test(value) || value === '') return [];
    const wanted = op.endsWith('~') ? alternativesOf(value) : [value];
    return wanted
      .filter((one) => !values.some((each) => (op.endsWith('~') ? whole(one).test(each) : one === each)))
      .map((one) => `${series} has no ${label}="${one}"`);
  });
}

/** A flat list of alternatives one by one, so that each of them has to exist. */
function alternativesOf(pattern: string): string[] {
  return /[()[\]]/.test(pattern) ? [pattern] : pattern.split('|');
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

/** Every text in a JSON value, without keys. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part) => stringsIn(part));
}
