/*
 * The settings file as a part of the environment, whose problems say where they stand.
 */
import { readFileSync } from 'node:fs';
import { nearest } from './names.js';
import type { Option } from './options.js';
import { OPTIONS } from './options.js';
import { parseSettingsFile } from './settings-file.js';

export interface FileEnvironment {
  readonly env: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  /** Adds file and line to a problem with a setting that comes from the file, not from `variables`. */
  locate(problem: string, variables: Readonly<Record<string, string | undefined>>): string;
}

const NO_FILE: FileEnvironment = { env: {}, problems: [], locate: (problem) => problem };

/** Reads the file at a path; without one there is nothing in it. */
export function readSettings(path: string | undefined): FileEnvironment {
  if (path === undefined || path === '') return NO_FILE;
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const problem = `${OPTIONS.configFile.env} is ${JSON.stringify(path)}: cannot be read: ${(error as Error).message}`;
    return { ...NO_FILE, problems: [problem] };
  }
  const { settings, problems } = parseSettingsFile(content);
  const refused = [...settings].flatMap(([name, { line }]) => {
    const text = refusal(name);
    return text === undefined ? [] : [{ line, text }];
  });
  return {
    env: Object.fromEntries([...settings].filter(([name]) => refusal(name) === undefined).map(toVariable)),
    problems: [...problems, ...refused]
      .sort((a, b) => a.line - b.line)
      .map(({ line, text }) => `${path}:${line}: ${text}`),
    locate: (problem, variables) => {
      const name = /^(OMENDB|OTEL)_\w+/.exec(problem)?.[0] ?? '';
      const setting = variables[name] === undefined ? settings.get(name) : undefined;
      return setting === undefined ? problem : `${path}:${setting.line}: ${problem}`;
    },
  };
}

function toVariable([name, { text }]: readonly [string, { readonly text: string }]): [string, string] {
  return [name, text];
}

/** Why a name may not stand in the file. */
function refusal(name: string): string | undefined {
  const all = Object.values(OPTIONS as Readonly<Record<string, Option<unknown>>>);
  const option = all.find(({ env, secret }) => name === env || (secret === true && name === `${env}_FILE`));
  if (option === undefined) {
    const names = all
      .filter(({ own }) => own !== true)
      .map(({ env, secret }) => (secret ? `${env}_FILE` : env));
    const whole = `OMENDB_${name}`;
    const guess = names.includes(whole) ? whole : nearest(name, names);
    return `${name} is not a setting${guess === undefined ? '; "omendb --help" lists them' : `: did you mean ${guess}?`}`;
  }
  if (option.own === true) return `${name} is of one process: set it in the environment`;
  if (option.secret === true && name === option.env)
    return `${name} is a secret, which does not belong here: name a file with it in ${name}_FILE`;
  return undefined;
}
