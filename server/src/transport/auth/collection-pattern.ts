/*
 * Patterns of collection names in credentials: `*` stands for any characters, everything else for itself.
 */

const PATTERNS_MAX = 64;
const PATTERN_LENGTH_MAX = 128;

/** Whether a collection is covered. */
export type CollectionPattern = (collection: string) => boolean;

/**
 * A name is covered when one of the patterns matches all of it. Undefined when the patterns are not allowed.
 */
export function compilePatterns(patterns: readonly string[]): CollectionPattern | undefined {
  if (patterns.length > PATTERNS_MAX || patterns.some((pattern) => !isPattern(pattern))) return undefined;
  const split = patterns.map((pattern) => pattern.split('*'));
  return (collection) => split.some((parts) => matches(collection, parts));
}

function isPattern(pattern: string): boolean {
  return pattern.length <= PATTERN_LENGTH_MAX && /^[a-zA-Z0-9._*-]+$/.test(pattern);
}

/**
 * The parts between the stars in order, the first at the start, the last at the end: linear, unlike a
 * backtracking expression.
 */
function matches(name: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return name === first;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
    return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
