/*
 * The commands that make tokens and look after keys. They work beside a running server: what they write, no
 * server has in memory.
 */
import { FsObjectStore } from '../adapters/fs/fs-object-store.js';
import { NO_METRICS } from '../adapters/memory/no-metrics.js';
import { SystemClock } from '../adapters/system/clock.js';
import { SystemRng } from '../adapters/system/rng.js';
import { SystemScheduler } from '../adapters/system/scheduler.js';
import type { ApiKey } from '../app/keys.js';
import { ApiKeys } from '../app/keys.js';
import type { Config } from '../config/load.js';
import { OmenError } from '../core/errors.js';
import type { Logger } from '../ports/logger.js';
import { sha256 } from '../transport/auth/authenticator.js';
import { signToken } from '../transport/auth/jwt.js';
import type { Command } from './arguments.js';
import { existingSecret } from './signing-secret.js';
import { openStore } from './store.js';
import { UserError } from './user-error.js';

const clock = new SystemClock();
const rng = new SystemRng();

/** The token alone, so that it can be put into a variable. */
export function tokenText(config: Config, command: Extract<Command, { kind: 'token' }>): Promise<string> {
  const { tenant, subject, scopes, collections, lifeMs } = command;
  const limited = collections === null ? {} : { collections };
  return signToken(existingSecret(config), { tenant, subject, scopes, lifeMs, ...limited }, { clock, rng });
}

/** Makes a key and returns its text. */
export function createKey(
  config: Config,
  logger: Logger,
  { tenant, scopes, collections, environment, name, lifeMs }: Extract<Command, { kind: 'key-create' }>,
): Promise<string> {
  const expiresAtMs = lifeMs === null ? null : clock.now() + lifeMs;
  return withKeys(config, logger, async (keys) => {
    const { text } = await keys.create({ tenant, scopes, collections, environment, name, expiresAtMs });
    return text;
  });
}

/** One line for each key, fields with tabs between, as other tools like them. */
export function listKeys(config: Config, logger: Logger, tenant: string | null): Promise<string> {
  return withKeys(config, logger, async (keys) => {
    const all = await keys.list();
    const lines = all.filter((key) => tenant === null || key.tenant === tenant).map(describeKey);
    return ['ID\tTENANT\tSTATE\tCREATED\tSCOPES\tCOLLECTIONS\tNAME', ...lines].join('\n');
  });
}

/** Disables a key and says so. */
export function disableKey(config: Config, logger: Logger, id: string): Promise<string> {
  return withKeys(config, logger, async (keys) => `${(await keys.disable(id)).id} is disabled`);
}

async function withKeys<T>(config: Config, logger: Logger, work: (keys: ApiKeys) => Promise<T>): Promise<T> {
  const { objectStore } = config;
  try {
    const store =
      (objectStore.kind === 'file' ? await FsObjectStore.beside(objectStore.folder) : null) ??
      (await openStore(objectStore, config, {
        clock,
        scheduler: new SystemScheduler(),
        rng,
        logger,
        metrics: NO_METRICS,
      }));
    try {
      return await work(new ApiKeys({ store, clock, rng, digest: sha256 }));
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof OmenError) throw new UserError(error.message, { cause: error });
    throw error;
  }
}

function describeKey(key: ApiKey): string {
  const state = key.disabledAtMs !== null ? 'disabled' : isOver(key) ? 'expired' : 'active';
  const created = new Date(key.createdAtMs).toISOString();
  const collections = key.collections?.join(',') ?? '*';
  return [key.id, key.tenant, state, created, key.scopes.join(','), collections, key.name].join('\t');
}

function isOver({ expiresAtMs }: ApiKey): boolean {
  return expiresAtMs !== null && expiresAtMs <= clock.now();
}
