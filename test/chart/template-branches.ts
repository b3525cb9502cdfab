// Templates with a mark in every branch, so that a render tells which branches it went through.
//
// A mark puts its number into a map among the values, which all templates of a render share; a template that
// is rendered last shows the map. What an action trims is kept, so that the render stays as it was.
import { cpSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHART } from './helm.js';

/** A branch: where it is, and what it is of. */
export interface Branch {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** How a template of templates comes to the values: what it is given differs. */
type Access = (body: string) => string | undefined;

interface Open {
  readonly kind: string;
  readonly text: string;
  readonly line: number;
  hasElse: boolean;
}

const ACTION = /\{\{-?\s*(\/\*[\s\S]*?\*\/|[\s\S]*?)\s*-?\}\}/g;

/** A copy of the chart with marks, and the branches that they stand for. */
export function markedChart(): { readonly chart: string; readonly branches: readonly Branch[] } {
  const chart = join(mkdtempSync(join(tmpdir(), 'omendb-branches-')), 'omendb');
  cpSync(CHART, chart, { recursive: true });
  const branches: Branch[] = [];
  for (const file of readdirSync(join(chart, 'templates'), { recursive: true }) as string[]) {
    if (!/\.(yaml|tpl|txt)$/.test(file)) continue;
    const path = join(chart, 'templates', file);
    writeFileSync(path, marked(file, readFileSync(path, 'utf8'), branches));
  }
  // Templates are rendered by the depth and length of their paths, the shortest last.
  const shown = 'data: {{ .Values.global.marks | default dict | toJson }}\n';
  writeFileSync(
    join(chart, 'templates/a'),
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: marks }\n${shown}`,
  );
  return { chart, branches };
}

function marked(file: string, text: string, branches: Branch[]): string {
  const open: Open[] = [];
  let access: string | undefined = '$.Values';
  let result = '';
  let end = 0;
  for (const match of text.matchAll(ACTION)) {
    const [action, inner = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    result += text.slice(end, match.index);
    end = match.index + action.length;
    const word = /^(\w+)/.exec(inner)?.[1] ?? '';
    if (word === 'define') access = accessOf(text.slice(end, text.indexOf('{{- define', end) >>> 0));
    const mark = (of: string, right: boolean): string => {
      if (access === undefined) return '';
      const id = `b${branches.length}`;
      branches.push({ id, file, line, text: of });
      const global = `${access}.global`;
      const set = `$_ := set ${global} "marks" (set (${global}.marks | default dict) "${id}" "x")`;
      return `{{ ${set} ${right ? '-' : ''}}}`;
    };
    const right = action.endsWith('-}}');
    if (/^(if|with|range)$/.test(word)) {
      open.push({ kind: word, text: inner, line, hasElse: false });
      result += action + mark(inner, right);
    } else if (word === 'define' || word === 'block') {
      open.push({ kind: word, text: inner, line, hasElse: true });
      result += action;
    } else if (word === 'else') {
      const last = open.at(-1);
      if (last !== undefined && !/^else (if|with)/.test(inner)) last.hasElse = true;
      result += action + mark(`${inner} of ${last?.text ?? ''}`, right);
    } else if (word === 'end') {
      const last = open.pop();
      const left = action.startsWith('{{-') ? '{{- ' : '{{ ';
      const missing = last !== undefined && !last.hasElse ? mark(`not ${last.text}`, false) : '';
      result += (missing === '' ? '' : `${left}else }}${missing}`) + action;
    } else {
      // A template that takes its root from an argument says so before its first branch.
      if (/^\$ := \.root$/.test(inner)) access = '$.Values';
      result += action;
    }
  }
  return result + text.slice(end);
}

/** Of templates that are given only a number or a text there is none: they have tests of their own. */
const accessOf: Access = (body) => {
  if (/\$ := \.root\b/.test(body)) return '$.root.Values';
  if (/\.root\b/.test(body)) return '$.root.Values';
  if (/\(index \. 0\)\.Values|\$root := index \. 0/.test(body)) return '(index $ 0).Values';
  return /\.Values\b/.test(body) ? '$.Values' : undefined;
};
