/*
 * The key that tokens are signed with: from the configuration, or made by development mode. One that lives in
 * a file is read again from time to time, so that it can be changed without a restart.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/load.js';
import { readSecretFile } from '../config/load.js';
import type { SigningKeys } from '../config/option-types.js';
import { OPTIONS } from '../config/options.js';
import type { Logger } from '../ports/logger.js';
import type { Rng } from '../ports/rng.js';
import type { Scheduler } from '../ports/scheduler.js';
import { followFile } from './follow-file.js';
import { UserError } from './user-error.js';

const DEVELOPMENT_SECRET_BYTES = 48;

/**
 * The secret of the configuration, else the one that a server in development mode has made. Throws
 * `UserError` when there is none.
 */
export function existingSecret(config: Config): Uint8Array {
  if (config.jwtSecret !== null) return config.jwtSecret[0];
  try {
    return new TextEncoder().encode(readSecretFile(config.devSecretFile));
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = absent ? 'does not exist' : `cannot be read: ${(error as Error).message}`;
    throw new UserError(
      `there is no secret to sign with: OMENDB_JWT_SECRET is not set, and ${config.devSecretFile}, which a server ` +
        `in development mode makes, ${why}`,
      { cause: error },
    );
  }
}

/**
 * The secret of development mode, made when it is not there. Only the user can read it. Throws what the file
 * system says.
 */
export function developmentSecret(path: string, rng: Rng): Uint8Array {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const text = `${Buffer.from(rng.bytes(DEVELOPMENT_SECRET_BYTES)).toString('base64')}\n`;
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return new TextEncoder().encode(readSecretFile(path));
}

/** Calls `onChange` with the new keys whenever the file has other valid ones. Returns how to stop. */
export function followSecretFile(
  path: string,
  { scheduler, logger }: { readonly scheduler: Scheduler; readonly logger: Logger },
  onChange: (keys: SigningKeys) => void,
): () => void {
  const unreadable = (error: unknown): void => {
    logger.error('the secret file cannot be read: the secret before stays in use', { path, error });
  };
  return followFile({ path, scheduler, unreadable }, (text) => {
    const keys = OPTIONS.jwtSecret.type.parse(text);
    if (keys === undefined) {
      logger.error('the secret file changed and is not usable: the secret before stays in use', { path });
      return;
    }
    logger.info('the secret file changed: tokens must be signed with one of its keys', {
      path,
      keys: keys.length,
    });
    onChange(keys);
  });
}
