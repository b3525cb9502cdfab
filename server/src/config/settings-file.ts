/*
 * The settings file: `NAME: value` in each line, with the names of the variables, as a ConfigMap holds them.
 * It is a part of YAML, read strictly: whatever is accepted here means the same to every reader of YAML, and
 * whatever could mean something else is refused with its line.
 */

/** A setting as it stands in the file. */
export interface FileSetting {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

export interface SettingsFile {
  readonly settings: ReadonlyMap<string, FileSetting>;
  readonly problems: readonly { readonly line: number; readonly text: string }[];
}

const EMPTY = /^\s*(#.*)?$/;
const SETTING = /^([A-Za-z_][A-Za-z0-9_]*):(?:[ \t]+(.*?))?[ \t]*$/;
const DOUBLE_QUOTED = /^("(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")(?:[ \t]+#.*)?$/;
const SINGLE_QUOTED = /^'((?:[^']|'')*)'(?:[ \t]+#.*)?$/;
/** What begins something else than a plain text in YAML. */
const INDICATOR = /^(?:[[\]{}&*!|>%@`"',#]|[-?:](?:\s|$))/;

/** Reads all lines, and goes on after those that are wrong. */
export function parseSettingsFile(content: string): SettingsFile {
  const settings = new Map<string, FileSetting>();
  const problems: { line: number; text: string }[] = [];
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  // So writers of YAML put it that there is nothing.
  if (lines.filter((line) => !EMPTY.test(line)).join() === '{}') return { settings, problems };
  let begun = false;
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    if (EMPTY.test(text)) continue;
    // The mark of a document may stand once, before everything else.
    if (!begun && /^---[ \t]*$/.test(text)) {
      begun = true;
      continue;
    }
    begun = true;
    const problem = readLine(text, line, settings);
    if (problem !== undefined) problems.push({ line, text: problem });
  }
  return { settings, problems };
}

/** What is wrong with the line, if anything. */
function readLine(text: string, line: number, settings: Map<string, FileSetting>): string | undefined {
  const match = SETTING.exec(text);
  if (match === null) return 'this is no setting: a line is "NAME: value", without spaces before the name';
  const [, name = '', written = ''] = match;
  const earlier = settings.get(name);
  if (earlier !== undefined) return `${name} is set in line ${earlier.line} already`;
  if (written === '' || written.startsWith('#'))
    return `${name} has no value: remove the line to get the default`;
  const value = valueOf(written);
  if (value === undefined) return `the value of ${name} is not plain text: put it between quotes`;
  settings.set(name, { text: value, line });
  return undefined;
}

/** Undefined for what is neither quoted nor plain text. */
function valueOf(written: string): string | undefined {
  const double = DOUBLE_QUOTED.exec(written)?.[1];
  if (double !== undefined) return JSON.parse(double) as string;
  const single = SINGLE_QUOTED.exec(written)?.[1];
  if (single !== undefined) return single.replaceAll("''", "'");
  const plain = written.replace(/[ \t]+#.*$/, '');
  const isPlain = !INDICATOR.test(plain) && !/:(?:\s|$)/.test(plain) && /^[\x20-\x7e]+$/.test(plain);
  // A value that is nothing in YAML is none here.
  return isPlain && !/^(~|null|Null|NULL)$/.test(plain) ? plain : undefined;
}
