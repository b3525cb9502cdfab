/*
 * Reads PromQL for the tests of rules, dashboards and runbooks: syntax, selectors, groupings, calls. It knows
 * nothing of what metrics there are; `known-metrics.ts` does.
 */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** One condition of a selector. `value` is without quotes. */
export interface Matcher {
  readonly label: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** As written in `[…]`, such as `5m`; undefined for an instant. */
  readonly range?: string;
  /** Functions and aggregations around it, innermost first, in lower case. */
  readonly within: readonly string[];
}

/** Labels named by an aggregation (`by`, `without`) or a join (`on`, `ignoring`, `group_left`, …). */
export interface Grouping {
  readonly kind: 'by' | 'without' | 'on' | 'ignoring' | 'group_left' | 'group_right';
  readonly labels: readonly string[];
}

/** A function or an aggregation, with the text of its arguments. */
export interface Call {
  readonly name: string;
  readonly args: readonly string[];
}

const KINDS = {
  By: 'by',
  Without: 'without',
  On: 'on',
  Ignoring: 'ignoring',
  GroupLeft: 'group_left',
  GroupRight: 'group_right',
} as const;
const COMPARISONS = ['Eql', 'EqlC', 'EqlSingle', 'Neq', 'Gtr', 'Gte', 'Lss', 'Lte'];

/**
 * @returns The top of the expression's syntax tree.
 * @throws When the text is not one PromQL expression; the message names the place. Variables of dashboards
 * are no
 *   PromQL: replace them first.
 */
export function parsePromQl(expr: string): SyntaxNode {
  const top = parser.parse(expr).topNode;
  walk(top, (node) => {
    if (!node.type.isError) return;
    const before = expr.slice(0, node.from);
    throw new Error(`no PromQL at character ${String(node.from)}, after ${JSON.stringify(before)}: ${expr}`);
  });
  if (top.firstChild === null) throw new Error(`no expression: ${JSON.stringify(expr)}`);
  return top;
}

/** Every series selector of the expression. */
export function selectorsOf(expr: string): Selector[] {
  const found: Selector[] = [];
  walk(parsePromQl(expr), (node) => {
    if (node.name === 'VectorSelector') found.push(selector(node, expr));
  });
  return found;
}

/** Every list of labels that an aggregation or a join names. */
export function groupingsOf(expr: string): Grouping[] {
  const found: Grouping[] = [];
  walk(parsePromQl(expr), (node) => {
    const kind = KINDS[node.name as keyof typeof KINDS] as Grouping['kind'] | undefined;
    if (kind === undefined) return;
    const list = node.nextSibling;
    const labels =
      list?.name === 'GroupingLabels'
        ? children(list)
            .filter(({ name }) => name !== 'LineComment')
            .map((label) => text(label, expr))
        : [];
    found.push({ kind, labels });
  });
  return found;
}

/** Every function and aggregation of the expression, outermost first. */
export function callsOf(expr: string): Call[] {
  const found: Call[] = [];
  walk(parsePromQl(expr), (node) => {
    const name = callName(node, expr);
    if (name !== undefined) {
      const body = node.getChild('FunctionCallBody');
      found.push({ name, args: body === null ? [] : children(body).map((arg) => text(arg, expr)) });
    }
  });
  return found;
}

/** What the expression divides by: the text of each right side of `/`. */
export function divisorsOf(expr: string): string[] {
  const found: string[] = [];
  walk(parsePromQl(expr), (node) => {
    const right = node.name === 'BinaryExpr' && node.getChild('Div') !== null ? node.lastChild : null;
    if (right !== null) found.push(text(right, expr));
  });
  return found;
}

/** The labels that each aggregation keeps; null: it says what it drops, or keeps none. */
export function aggregationsOf(expr: string): { keeps: readonly string[] | null; text: string }[] {
  const found: { keeps: readonly string[] | null; text: string }[] = [];
  walk(parsePromQl(expr), (node) => {
    if (node.name !== 'AggregateExpr') return;
    const modifier = node.getChild('AggregateModifier');
    const list = modifier?.getChild('By') ? modifier.getChild('GroupingLabels') : null;
    const keeps = list === null ? null : children(list).map((label) => text(label, expr));
    found.push({ keeps, text: text(node, expr) });
  });
  return found;
}

/**
 * Whether the expression filters: each side of `or`, and one side of `and` or `unless`, compares or asks for
 * `absent`. An alert whose expression does not is true as long as its series exist.
 */
export function hasCondition(expr: string): boolean {
  const top = parsePromQl(expr).firstChild;
  return top !== null && filters(top, expr);
}

function filters(node: SyntaxNode, expr: string): boolean {
  if (node.name === 'ParenExpr') return children(node).some((child) => filters(child, expr));
  if (node.name === 'AggregateExpr' || node.name === 'FunctionCall') {
    const name = callName(node, expr) ?? '';
    if (name === 'absent' || name === 'absent_over_time') return true;
    const body = node.getChild('FunctionCallBody');
    return body !== null && children(body).some((child) => filters(child, expr));
  }
  if (node.name !== 'BinaryExpr') return false;
  const parts = children(node);
  const [left, right] = [parts[0], parts.at(-1)];
  if (left === undefined || right === undefined) return false;
  if (parts.some(({ name }) => name === 'Or')) return filters(left, expr) && filters(right, expr);
  const compares = parts.some(({ name }) => COMPARISONS.includes(name));
  if (compares && node.getChild('BoolModifier') === null) return true;
  return filters(left, expr) || filters(right, expr);
}

function selector(node: SyntaxNode, expr: string): Selector {
  const name = node.getChild('Identifier');
  const matchers = matchersOf(node, expr);
  const metric = name === null ? matchers.find(({ label }) => label === '__name__')?.value : text(name, expr);
  const range = node.parent?.name === 'MatrixSelector' ? node.parent.lastChild : null;
  return {
    metric: metric ?? '',
    matchers,
    ...(range === null ? {} : { range: text(range, expr) }),
    within: around(node, expr),
  };
}

function matchersOf(node: SyntaxNode, expr: string): Matcher[] {
  const list = node.getChild('LabelMatchers');
  return (list?.getChildren('UnquotedLabelMatcher') ?? []).map((matcher) => {
    const [label, op, value] = children(matcher).map((child) => text(child, expr));
    return { label: label ?? '', op: (op ?? '=') as Matcher['op'], value: unquote(value ?? '""') };
  });
}

/** A string as PromQL writes it: escapes work in `"` and `'`, nothing does in backquotes. */
function unquote(literal: string): string {
  const inner = literal.slice(1, -1);
  return literal.startsWith('`') ? inner : inner.replace(/\\(.)/g, '$1');
}

function around(node: SyntaxNode, expr: string): string[] {
  const names: string[] = [];
  for (let at = node.parent; at !== null; at = at.parent) {
    const name = callName(at, expr);
    if (name !== undefined) names.push(name);
  }
  return names;
}

function callName(node: SyntaxNode, expr: string): string | undefined {
  const name =
    node.name === 'FunctionCall'
      ? node.getChild('FunctionIdentifier')
      : node.name === 'AggregateExpr'
        ? node.getChild('AggregateOp')
        : null;
  return name === null ? undefined : text(name, expr).toLowerCase();
}

function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  visit(node);
  for (const child of children(node)) walk(child, visit);
}

function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

function text(node: SyntaxNode, expr: string): string {
  return expr.slice(node.from, node.to);
}
