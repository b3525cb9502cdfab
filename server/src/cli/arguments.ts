/*
 * The command line as data. What cannot be understood is an error that names it; nothing is guessed.
 */
import { parseTenantId } from '../core/ids.js';
import type { TenantId } from '../core/ids.js';
import { milliseconds } from '../config/option-types.js';
import { compilePatterns } from '../transport/auth/collection-pattern.js';
import { ALL_SCOPES } from '../transport/auth/identity.js';
import { TOKEN_LIFE_MS_MAX } from '../transport/auth/jwt.js';
import { knownScopes } from '../transport/auth/scopes.js';
import { parseOptions, UsageError } from './parse-options.js';
import type { StoreCommand } from './store-arguments.js';
import {
  backupCommand,
  backupsCommand,
  collectCommand,
  restoreCommand,
  verifyCommand,
} from './store-arguments.js';

export { UsageError };

/** What a credential that is to be made may do. */
export interface Grant {
  readonly tenant: TenantId;
  readonly scopes: readonly string[];
  /** Null: all. */
  readonly collections: readonly string[] | null;
}

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'serve'; readonly configFile?: string }
  | ({ readonly kind: 'token'; readonly subject: string; readonly lifeMs: number } & Grant)
  | ({
      readonly kind: 'key-create';
      readonly name: string;
      readonly environment: string;
      readonly lifeMs: number | null;
    } & Grant)
  | { readonly kind: 'key-list'; readonly tenant: TenantId | null }
  | { readonly kind: 'key-disable'; readonly id: string }
  | StoreCommand;

const DAY_MS = 24 * 60 * 60 * 1000;
const GRANT = {
  tenant: { type: 'string' },
  scope: { type: 'string', multiple: true },
  collection: { type: 'string', multiple: true },
} as const;

/** Reads what stands behind `omendb`. Throws `UsageError`. */
export function parseCommandLine(args: readonly string[]): Command {
  if (args.includes('--help') || args.includes('-h') || args[0] === 'help') return { kind: 'help' };
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) return { kind: 'version' };
  const [command = 'serve', ...rest] = args[0]?.startsWith('-') ? ['serve', ...args] : args;
  switch (command) {
    case 'serve':
      return serveCommand(rest);
    case 'token':
      return tokenCommand(rest);
    case 'key':
      return keyCommand(rest);
    case 'backup':
      return backupCommand(rest);
    case 'backups':
      return backupsCommand(rest);
    case 'verify':
      return verifyCommand(rest);
    case 'restore':
      return restoreCommand(rest);
    case 'collect':
      return collectCommand(rest);
    default:
      throw new UsageError(
        `there is no command "${command}": there are serve, token, key, backup, backups, verify, restore and ` +
          'collect',
      );
  }
}

function serveCommand(args: readonly string[]): Command {
  const { values } = parseOptions(args, { config: { type: 'string' } } as const, 0);
  return values.config === undefined ? { kind: 'serve' } : { kind: 'serve', configFile: values.config };
}

function tokenCommand(args: readonly string[]): Command {
  const { values } = parseOptions(
    args,
    { ...GRANT, ttl: { type: 'string' }, subject: { type: 'string' } } as const,
    0,
  );
  const lifeMs = milliseconds(values.ttl ?? '24h');
  if (lifeMs === undefined || lifeMs < 1000 || lifeMs > TOKEN_LIFE_MS_MAX) {
    throw new UsageError(`--ttl is "${values.ttl}": must be from 1s to 24h, such as 30m`);
  }
  return { kind: 'token', ...grantOf(values), subject: values.subject || 'omendb-cli', lifeMs };
}

function keyCommand(args: readonly string[]): Command {
  const [action, ...rest] = args;
  switch (action) {
    case 'create': {
      const more = { name: { type: 'string' }, env: { type: 'string' }, days: { type: 'string' } } as const;
      const { values } = parseOptions(rest, { ...GRANT, ...more }, 0);
      const environment = values.env ?? 'live';
      if (!/^[a-z]{1,16}$/.test(environment))
        throw new UsageError('--env must be 1 to 16 lower-case letters');
      return {
        kind: 'key-create',
        ...grantOf(values),
        name: values.name ?? '',
        environment,
        lifeMs: daysOf(values.days),
      };
    }
    case 'list': {
      const { values } = parseOptions(rest, { tenant: { type: 'string' } } as const, 0);
      return { kind: 'key-list', tenant: values.tenant === undefined ? null : tenantOf(values.tenant) };
    }
    case 'disable': {
      const { positionals } = parseOptions(rest, {}, 1);
      if (positionals[0] === undefined) throw new UsageError('say which key: omendb key disable ID');
      return { kind: 'key-disable', id: positionals[0] };
    }
    default:
      throw new UsageError(`say what to do with keys: there are key create, key list and key disable`);
  }
}

function grantOf(values: {
  readonly tenant?: string | undefined;
  readonly scope?: readonly string[] | undefined;
  readonly collection?: readonly string[] | undefined;
}): Grant {
  const scopes = listOf(values.scope) ?? [ALL_SCOPES];
  const known = knownScopes();
  const unknown = scopes.find((scope) => !known.includes(scope));
  if (unknown !== undefined)
    throw new UsageError(`there is no scope "${unknown}": there are ${known.join(', ')}`);
  const collections = listOf(values.collection);
  if (collections !== null && compilePatterns(collections) === undefined) {
    throw new UsageError('--collection must be a name or a pattern such as "docs-*"');
  }
  return { tenant: tenantOf(values.tenant), scopes, collections };
}

/** Options may be repeated, and one may hold several values with commas between. */
function listOf(values: readonly string[] | undefined): readonly string[] | null {
  const all = values?.flatMap((value) => value.split(',')).map((value) => value.trim());
  return all === undefined || all.length === 0 ? null : all;
}

function tenantOf(text: string | undefined): TenantId {
  if (text === undefined) throw new UsageError('say for whom: --tenant NAME');
  try {
    return parseTenantId(text);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function daysOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days < 1) throw new UsageError(`--days is "${text}": must be a whole number of days`);
  return days * DAY_MS;
}
