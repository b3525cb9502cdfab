// The pages of docs/operations as lists of examples: what a reader copies, with what is said above
// it in a comment: how it is known to be true. Each example belongs to one test, which asks for it by page
// and name.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = 'docs/operations';

/** Where examples run: beside a local server, with the tools of the chart, on a cluster. */
export const PLACES = ['local', 'chart', 'cluster'] as const;
export type Place = (typeof PLACES)[number];

/** What stands above an example. */
export type Backing =
  | { readonly kind: 'tested'; readonly place: Place; readonly name: string }
  | { readonly kind: 'needs a cloud'; readonly reason: string };

export interface Example {
  /** Of the page, without folder and ending. */
  readonly page: string;
  /** Such as `sh`. */
  readonly language: string;
  readonly text: string;
  /** Undefined: none, or one that cannot be read. */
  readonly backing: Backing | undefined;
}

export interface Page {
  readonly name: string;
  /** From the root of the tree. */
  readonly path: string;
  readonly text: string;
  readonly examples: readonly Example[];
}

/** A fence with the comment before it; a fence may be indented, as in a list. */
const FENCE = /(?:^[ \t]*<!-- ([^\n]*?) -->[ \t]*\n\s*?)?^([ \t]*)```(\w+)\n([\s\S]*?)^[ \t]*```[ \t]*$/gm;

/** The examples of a page, in their order. */
export function examplesIn(page: string, text: string): readonly Example[] {
  return [...text.matchAll(FENCE)].map(([, comment, indent = '', language = '', body = '']) => ({
    page,
    language,
    text: body.replace(new RegExp(`^${indent}`, 'gm'), ''),
    backing: backingOf(comment ?? ''),
  }));
}

function backingOf(comment: string): Backing | undefined {
  const [, place, name = ''] = /^tested: (\w+) ([a-z0-9-]+)$/.exec(comment) ?? [];
  const known = PLACES.find((one) => one === place);
  if (known !== undefined) return { kind: 'tested', place: known, name };
  const [, reason] = /^needs a cloud: (\S.+)$/.exec(comment) ?? [];
  return reason === undefined ? undefined : { kind: 'needs a cloud', reason };
}

/** Every page of docs/operations. */
export function operationsPages(): readonly Page[] {
  return readdirSync(join(ROOT, FOLDER))
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => {
      const path = `${FOLDER}/${file}`;
      const name = file.replace(/\.md$/, '');
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { name, path, text, examples: examplesIn(name, text) };
    });
}

/** Words of the pages that stand for something else in each place, such as `POD`. */
export type Substitutions = Readonly<Record<string, string>>;

/** The examples of one place. Knows which of them were asked for. */
export class ExamplesToRun {
  readonly #left: Map<string, Example>;

  constructor(place: Place) {
    const mine = operationsPages()
      .flatMap(({ examples }) => examples)
      .flatMap((example) => {
        const { backing } = example;
        if (backing?.kind !== 'tested' || backing.place !== place) return [];
        return [[`${example.page}: ${backing.name}`, example] as const];
      });
    this.#left = new Map(mine);
  }

  /**
   * The text of an example with its words replaced. Throws when the page has no such example, when it was
   * asked for before, and when a word that is to be replaced is not in it.
   */
  take(page: string, name: string, substitutions: Substitutions = {}): string {
    const key = `${page}: ${name}`;
    const example = this.#left.get(key);
    if (example === undefined) throw new Error(`there is no example "${key}", or it was run before`);
    this.#left.delete(key);
    return Object.entries(substitutions).reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${key} does not say ${from}`);
      return text.replaceAll(from, to);
    }, example.text);
  }

  /** Those that nobody has asked for. */
  left(): readonly string[] {
    return [...this.#left.keys()];
  }
}
