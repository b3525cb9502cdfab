/*
 * The order of keys: by UTF-8 bytes, which is the order of code points. JavaScript compares UTF-16 units,
 * which puts characters beyond U+FFFF (two surrogates from U+D800 on) before U+E000 to U+FFFF; object stores
 * do not.
 */

/** Negative, zero or positive as `a` sorts before, equal to or after `b` by UTF-8 bytes. */
export function compareUtf8(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const difference = a.charCodeAt(at) - b.charCodeAt(at);
    if (difference !== 0) return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
  }
  return a.length - b.length;
}

/** Moves surrogates behind all other units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
