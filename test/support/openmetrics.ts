// A strict reader of OpenMetrics 1.0: it refuses whatever the format does not allow, so that a test which
// reads the server's metrics also proves that every other reader can.

export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'info' | 'summary' | 'stateset' | 'unknown';

/** One line with a value. */
export interface Sample {
  /** As exposed, with `_total`, `_bucket`, `_sum`, `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: Exemplar;
}

export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Seconds since 1970. */
  readonly timestamp?: number;
}

export interface ExposedFamily {
  /** As the catalogue and PromQL know it: counters with `_total`. */
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface Draft {
  readonly base: string;
  type?: FamilyType;
  help?: string;
  unit?: string;
  readonly samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
/** Words for numbers: the format's grammar does not tell cases apart. */
const NO_DIGITS = /^([+-]?)(inf|infinity|nan)$/i;
const SUFFIXES: Readonly<Record<FamilyType, readonly string[]>> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_count', '_sum', '_created'],
  info: ['_info'],
  summary: ['', '_count', '_sum', '_created'],
  stateset: [''],
  unknown: [''],
};
const EXEMPLAR_CHARACTERS_MAX = 128;

/** A text that is not OpenMetrics. The message names the line and the rule. */
export class NotOpenMetrics extends Error {
  override readonly name = 'NotOpenMetrics';

  constructor(
    readonly line: number,
    rule: string,
    text = '',
  ) {
    super(`line ${line}: ${rule}${text === '' ? '' : `: ${text}`}`);
  }
}

/** All families by name. Throws `NotOpenMetrics`. */
export function parseOpenMetrics(text: string): Map<string, ExposedFamily> {
  const lines = text.split('\n');
  if (lines.at(-1) !== '' || lines.at(-2) !== '# EOF') {
    throw new NotOpenMetrics(lines.length, 'the text must end with "# EOF" and one line feed');
  }
  const drafts = new Map<string, Draft>();
  let current: Draft | undefined;
  lines.slice(0, -2).forEach((line, index) => {
    const at = index + 1;
    const base = baseOf(line, current, at);
    if (base !== current?.base) {
      if (drafts.has(base)) throw new NotOpenMetrics(at, `family ${base} is interrupted by another`, line);
      current = { base, samples: [] };
      drafts.set(base, current);
    }
    if (line.startsWith('#')) readMetadata(line, current as Draft, at);
    else (current as Draft).samples.push(readSample(line, current as Draft, at));
  });
  const families = [...drafts.values()].map((draft) => checked(draft));
  expectDistinctNames(families);
  return new Map(families.map((family) => [family.name, family]));
}

/** The value of the one sample with these labels, undefined without one. `suffix` such as `_count`. */
export function valueOf(
  families: ReadonlyMap<string, ExposedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
  suffix = '',
): number | undefined {
  const wanted = keyOf(labels);
  return families
    .get(name)
    ?.samples.find((sample) => sample.name === name + suffix && keyOf(sample.labels) === wanted)?.value;
}

/** The sum over all samples that have at least these labels; 0 without any. */
export function sumOf(
  families: ReadonlyMap<string, ExposedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
  suffix = '',
): number {
  return (families.get(name)?.samples ?? [])
    .filter((sample) => sample.name === name + suffix)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, sample) => sum + sample.value, 0);
}

/** Time series that a scrape stores: one for each sample. */
export function seriesCount(families: ReadonlyMap<string, ExposedFamily>): number {
  return [...families.values()].reduce((count, { samples }) => count + samples.length, 0);
}

/** The family that a line belongs to. */
function baseOf(line: string, current: Draft | undefined, at: number): string {
  if (line.includes('\r')) throw new NotOpenMetrics(at, 'a carriage return', JSON.stringify(line));
  if (line.startsWith('#')) {
    const name = /^# (?:HELP|TYPE|UNIT) (\S+)(?: |$)/.exec(line)?.[1];
    if (name === undefined) throw new NotOpenMetrics(at, 'neither HELP, TYPE, UNIT nor a sample', line);
    if (!NAME.test(name)) throw new NotOpenMetrics(at, 'a name that is none', line);
    return name;
  }
  const name = /^[^{ ]*/.exec(line)?.[0] ?? '';
  if (!NAME.test(name)) throw new NotOpenMetrics(at, 'a sample without a name', line);
  const suffixes = SUFFIXES[current?.type ?? 'unknown'];
  if (current === undefined || !suffixes.some((suffix) => name === current.base + suffix)) {
    throw new NotOpenMetrics(at, `a sample that does not belong to the ${current?.type} above it`, line);
  }
  return current.base;
}

function readMetadata(line: string, draft: Draft, at: number): void {
  if (draft.samples.length > 0) throw new NotOpenMetrics(at, 'metadata behind samples', line);
  const [, kind, value = ''] = /^# (HELP|TYPE|UNIT) \S+(?: (.*))?$/.exec(line) ?? [];
  const key = (kind ?? '').toLowerCase() as 'help' | 'type' | 'unit';
  if (draft[key] !== undefined) throw new NotOpenMetrics(at, `a second ${kind}`, line);
  if (key === 'help') draft.help = unescape(value, at);
  else if (key === 'unit') draft.unit = value;
  else if (value in SUFFIXES) draft.type = value as FamilyType;
  else throw new NotOpenMetrics(at, 'a type that does not exist', line);
}

function readSample(line: string, draft: Draft, at: number): Sample {
  const cursor = new Cursor(line, at);
  const name = cursor.take(/[^{ ]+/y, 'a name');
  const labels = cursor.next('{') ? cursor.labels() : {};
  cursor.expect(' ');
  const value = numberOf(cursor.take(/[^ ]+/y, 'a value'), at);
  // Times are Prometheus' own business here: a server of metrics that stamps them is old news.
  if (cursor.done) return { name, labels, value };
  cursor.expect(' # ');
  const allowed = name === `${draft.base}_bucket` || name === `${draft.base}_total`;
  if (!allowed) throw new NotOpenMetrics(at, 'an exemplar where none may be', line);
  return { name, labels, value, exemplar: readExemplar(cursor, at) };
}

function readExemplar(cursor: Cursor, at: number): Exemplar {
  cursor.expect('{');
  const labels = cursor.labels();
  const characters = Object.entries(labels).reduce((sum, pair) => sum + [...pair.join('')].length, 0);
  if (characters > EXEMPLAR_CHARACTERS_MAX) {
    throw new NotOpenMetrics(at, `an exemplar with labels of ${characters} characters`);
  }
  cursor.expect(' ');
  const value = numberOf(cursor.take(/[^ ]+/y, 'a value'), at);
  if (cursor.done) return { labels, value };
  cursor.expect(' ');
  const timestamp = numberOf(cursor.take(/[^ ]+/y, 'a time'), at);
  if (!cursor.done) throw new NotOpenMetrics(at, 'something behind the exemplar');
  return { labels, value, timestamp };
}

/** Walks along one line. */
class Cursor {
  #at = 0;

  constructor(
    private readonly line: string,
    private readonly lineNumber: number,
  ) {}

  get done(): boolean {
    return this.#at === this.line.length;
  }

  next(text: string): boolean {
    if (!this.line.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  expect(text: string): void {
    if (!this.next(text)) this.#refuse(`${JSON.stringify(text)} is missing at column ${this.#at + 1}`);
  }

  take(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.line)?.[0];
    if (found === undefined) this.#refuse(`${what} is missing at column ${this.#at + 1}`);
    this.#at += found.length;
    return found;
  }

  /** Behind the opening brace, up to and with the closing one. */
  labels(): Record<string, string> {
    const labels: Record<string, string> = {};
    if (this.next('}')) return labels;
    do {
      const name = this.take(/[^=]+/y, 'a label');
      if (!LABEL.test(name)) this.#refuse(`the label name ${JSON.stringify(name)} is none`);
      if (Object.hasOwn(labels, name)) this.#refuse(`the label ${name} comes twice`);
      this.expect('="');
      labels[name] = unescape(this.take(/(?:[^"\\]|\\.)*/y, 'a label value'), this.lineNumber);
      this.expect('"');
    } while (this.next(','));
    this.expect('}');
    return labels;
  }

  #refuse(rule: string): never {
    throw new NotOpenMetrics(this.lineNumber, rule, this.line);
  }
}

function unescape(text: string, at: number): string {
  return text.replace(/\\(.?)|"/g, (whole: string, escaped: string | undefined) => {
    if (escaped === 'n') return '\n';
    if (escaped === '\\' || escaped === '"') return escaped;
    throw new NotOpenMetrics(at, `${whole} must be escaped`, text);
  });
}

function numberOf(text: string, at: number): number {
  const [, sign, word] = NO_DIGITS.exec(text) ?? [];
  const special = word?.toLowerCase() === 'nan' ? Number.NaN : sign === '-' ? -Infinity : Infinity;
  const value = word !== undefined ? special : NUMBER.test(text) ? Number(text) : undefined;
  if (value === undefined) throw new NotOpenMetrics(at, 'a number that is none', text);
  return value;
}

function checked({ base, type = 'unknown', help = '', unit, samples }: Draft): ExposedFamily {
  const name = type === 'counter' ? `${base}_total` : base;
  if (type === 'counter' && base.endsWith('_total')) refuse(base, 'a counter family named with _total');
  if (unit !== undefined && unit !== '' && !base.endsWith(`_${unit}`)) refuse(base, `no unit ${unit}`);
  const seen = new Set<string>();
  for (const sample of samples) {
    const key = `${sample.name} ${keyOf(sample.labels)}`;
    if (seen.has(key)) refuse(base, `${key} comes twice`);
    seen.add(key);
    if (type === 'counter' && !(sample.value >= 0)) refuse(base, `${key} is ${sample.value}`);
  }
  if (type === 'histogram') checkHistogram(base, samples);
  return { name, type, help, samples };
}

/** The samples of one histogram stand together, its buckets ascend and the last of them holds everything. */
function checkHistogram(base: string, samples: readonly Sample[]): void {
  const groups = new Map<string, Sample[]>();
  let last = '';
  for (const sample of samples) {
    const key = keyOf(withoutBound(sample.labels));
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [sample]);
    else if (key !== last) refuse(base, `the samples of {${key}} are not together`);
    else known.push(sample);
    last = key;
  }
  for (const [key, group] of groups) {
    const buckets = group.filter(({ name }) => name === `${base}_bucket`);
    const bounds = buckets.map(({ labels }) => numberOf(labels['le'] ?? '', 0));
    const ascending = bounds.every((bound, at) => at === 0 || bound > (bounds[at - 1] ?? Infinity));
    const cumulative = buckets.every(({ value }, at) => at === 0 || value >= (buckets[at - 1]?.value ?? 0));
    if (!ascending || bounds.at(-1) !== Infinity) refuse(base, `the bounds of {${key}} are ${bounds.join()}`);
    if (!cumulative) refuse(base, `the buckets of {${key}} do not add up`);
    const count = group.find(({ name }) => name === `${base}_count`)?.value;
    if (count !== buckets.at(-1)?.value) refuse(base, `{${key}} counts ${count} and not its last bucket`);
    if (!group.some(({ name }) => name === `${base}_sum`)) refuse(base, `{${key}} has no sum`);
    buckets.forEach(({ exemplar }, at) => {
      if (exemplar === undefined) return;
      const inside = exemplar.value <= (bounds[at] ?? 0) && exemplar.value > (bounds[at - 1] ?? -Infinity);
      if (!inside) refuse(base, `an exemplar of ${exemplar.value} in the bucket up to ${bounds[at]}`);
    });
  }
}

/** A gauge `a_count` beside a histogram `a` would be two families with one series name. */
function expectDistinctNames(families: readonly ExposedFamily[]): void {
  const owners = new Map<string, string>();
  for (const { name, samples } of families) {
    for (const sampleName of new Set(samples.map((sample) => sample.name))) {
      const owner = owners.get(sampleName);
      if (owner !== undefined) refuse(name, `${sampleName} belongs to ${owner} as well`);
      owners.set(sampleName, name);
    }
  }
}

function withoutBound(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([label]) => label !== 'le'));
}

/** Labels as a text that does not depend on their order. */
export function keyOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join();
}

function refuse(family: string, rule: string): never {
  throw new NotOpenMetrics(0, `family ${family}`, rule);
}
