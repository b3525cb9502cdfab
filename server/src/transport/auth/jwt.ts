/*
 * Tokens: JWTs signed with HMAC-SHA-256. One algorithm, one audience, at most 24 hours; whatever is missing
 * is denied.
 */
import { SignJWT, compactVerify, errors } from 'jose';
import { OmenError } from '../../core/errors.js';
import { parseTenantId } from '../../core/ids.js';
import type { Clock } from '../../ports/clock.js';
import type { Rng } from '../../ports/rng.js';
import type { CollectionPattern } from './collection-pattern.js';
import { compilePatterns } from './collection-pattern.js';
import type { Identity } from './identity.js';

const AUDIENCE = 'omendb';
const ALGORITHM = 'HS256';
/** Longest life of a token. */
export const TOKEN_LIFE_MS_MAX = 24 * 60 * 60 * 1000;
/**
 * How far another machine's clock may be ahead of this one's. Not granted to `exp`: no token outlives its 24
 * hours.
 */
const SKEW_SECONDS = 60;
const TOKEN_CHARACTERS_MAX = 8192;
const SCOPES_MAX = 64;

export interface TokenRequest {
  readonly tenant: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  /** Absent: all collections. */
  readonly collections?: readonly string[];
  readonly lifeMs: number;
}

/** A verified token. */
export interface VerifiedToken {
  readonly identity: Identity;
  /** By the wall clock. */
  readonly expiresAtMs: number;
}

/** Signs a token that begins now. */
export function signToken(
  secret: Uint8Array,
  request: TokenRequest,
  { clock, rng }: { readonly clock: Clock; readonly rng: Rng },
): Promise<string> {
  const issued = Math.floor(clock.now() / 1000);
  const claims = {
    tid: parseTenantId(request.tenant),
    scp: request.scopes,
    ...(request.collections === undefined ? {} : { col: request.collections }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setSubject(request.subject)
    .setAudience(AUDIENCE)
    .setIssuedAt(issued)
    .setExpirationTime(issued + Math.floor(request.lifeMs / 1000))
    .setJti(Buffer.from(rng.bytes(16)).toString('base64url'))
    .sign(secret);
}

/**
 * Takes a token that is signed with any of the keys. Throws `INVALID_TOKEN`, `TOKEN_EXPIRED` or
 * `TOKEN_LIFETIME`.
 */
export async function verifyToken(
  keys: readonly Uint8Array[],
  token: string,
  clock: Clock,
): Promise<VerifiedToken> {
  if (token.length > TOKEN_CHARACTERS_MAX)
    throw invalid(`it is longer than ${TOKEN_CHARACTERS_MAX} characters`);
  return readClaims(await payloadOf(keys, token), clock.now() / 1000);
}

async function payloadOf(
  keys: readonly Uint8Array[],
  token: string,
): Promise<Readonly<Record<string, unknown>>> {
  for (const key of keys) {
    const payload = await verifiedPayload(key, token);
    if (payload !== undefined) return payload;
  }
  throw invalid('it is not signed with the key of this server');
}

/** Undefined when the token is signed with another key. */
async function verifiedPayload(
  secret: Uint8Array,
  token: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const { payload } = await compactVerify(token, secret, { algorithms: [ALGORITHM] });
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) {
      return claims as Readonly<Record<string, unknown>>;
    }
  } catch (error) {
    if (error instanceof errors.JOSEAlgNotAllowed) throw invalid(`it must be signed with ${ALGORITHM}`);
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
    if (!(error instanceof errors.JOSEError || error instanceof SyntaxError || error instanceof TypeError))
      throw error;
  }
  throw invalid('it is neither a JSON Web Token nor an API key');
}

function readClaims(claims: Readonly<Record<string, unknown>>, now: number): VerifiedToken {
  const { sub, tid, scp, aud, col } = claims;
  const issued = seconds(claims, 'iat');
  const expires = seconds(claims, 'exp');
  if (aud !== AUDIENCE && !(Array.isArray(aud) && aud.includes(AUDIENCE)))
    throw invalid(`"aud" must be "${AUDIENCE}"`);
  if (typeof sub !== 'string' || sub === '') throw invalid('"sub" is missing');
  if (typeof tid !== 'string') throw invalid('"tid" is missing');
  if (!isTexts(scp) || scp.length > SCOPES_MAX) throw invalid('"scp" must be an array of scopes');
  if (expires <= now) throw new OmenError('TOKEN_EXPIRED', `the token expired at ${at(expires)}`);
  if (expires - issued > TOKEN_LIFE_MS_MAX / 1000) {
    throw new OmenError('TOKEN_LIFETIME', 'the token is made to live longer than 24 hours ("exp" − "iat")');
  }
  if (issued > now + SKEW_SECONDS) throw invalid(`"iat" is in the future: ${at(issued)}`);
  if (claims['nbf'] !== undefined && seconds(claims, 'nbf') > now + SKEW_SECONDS) {
    throw invalid(`it is not valid before ${at(seconds(claims, 'nbf'))}`);
  }
  const identity = {
    tenant: parseTenantId(tid),
    subject: sub,
    scopes: new Set(scp),
    collections: patterns(col),
  };
  return { identity, expiresAtMs: expires * 1000 };
}

function patterns(col: unknown): CollectionPattern | null {
  if (col === undefined) return null;
  const compiled = isTexts(col) ? compilePatterns(col) : undefined;
  if (compiled === undefined)
    throw invalid('"col" must be an array of at most 64 patterns of collection names');
  return compiled;
}

function seconds(claims: Readonly<Record<string, unknown>>, name: string): number {
  const value = claims[name];
  // Beyond this a date cannot be printed.
  if (typeof value === 'number' && value >= 0 && value < 8e12) return value;
  throw invalid(value === undefined ? `"${name}" is missing` : `"${name}" must be a number of seconds`);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function at(time: number): string {
  return new Date(time * 1000).toISOString();
}

function invalid(why: string): OmenError {
  return new OmenError('INVALID_TOKEN', `the token is not valid: ${why}`);
}
