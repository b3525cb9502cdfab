import { METHODS } from '../../gen/methods.js';
import { ALL_SCOPES } from './identity.js';

/** Every scope that a method needs, and the one that grants them all. */
export function knownScopes(): readonly string[] {
  const scopes = Object.values(METHODS).map((method) => method.scope);
  return [...new Set(scopes.filter((scope) => scope !== '')), ALL_SCOPES].sort();
}
