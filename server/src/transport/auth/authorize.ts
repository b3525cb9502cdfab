/*
 * What a credential allows. Scopes come from the protos; the tenant is never looked at here, because it is
 * not part of a request.
 */
import { OmenError } from '../../core/errors.js';
import type { Identity } from './identity.js';
import { ALL_SCOPES } from './identity.js';

/** Throws `SCOPE_MISSING` when the identity must not call a method that needs `scope`. */
export function requireScope(identity: Identity, scope: string): void {
  if (identity.scopes.has(scope) || identity.scopes.has(ALL_SCOPES)) return;
  const granted = [...identity.scopes].slice(0, 20).join(', ');
  throw new OmenError(
    'SCOPE_MISSING',
    `this needs the scope "${scope}"; the credential has ${granted || 'none'}`,
    {
      metadata: { scope },
    },
  );
}

/**
 * Throws `SCOPE_MISSING` when the credential is limited to other collections. Says nothing about what exists.
 */
export function requireCollection(identity: Identity, collection: string): void {
  if (identity.collections === null || identity.collections(collection)) return;
  throw new OmenError('SCOPE_MISSING', `the credential does not cover the collection "${collection}"`, {
    metadata: { collection },
  });
}
