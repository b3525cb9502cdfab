// Tokens for real servers that were given a secret.
import { SystemClock } from '#server/adapters/system/clock.js';
import { SystemRng } from '#server/adapters/system/rng.js';
import { ALL_SCOPES } from '#server/transport/auth/identity.js';
import { TOKEN_LIFE_MS_MAX, signToken } from '#server/transport/auth/jwt.js';

/** A token for everything of one tenant, as long as tokens can be good. */
export function tokenFor(tenant: string, secret: string): Promise<string> {
  const request = { tenant, subject: 'test', scopes: [ALL_SCOPES], lifeMs: TOKEN_LIFE_MS_MAX };
  const deps = { clock: new SystemClock(), rng: new SystemRng() };
  return signToken(new TextEncoder().encode(secret), request, deps);
}
