/*
 * The object store of a command: what its settings say, opened.
 */
import type { StoreDeps } from '../adapters/open-object-store.js';
import { ObservedObjectStore } from '../adapters/observed-store/observed-object-store.js';
import { openObjectStore } from '../adapters/open-object-store.js';
import type { Config } from '../config/load.js';
import { OmenError } from '../core/errors.js';
import type { ObjectStore } from '../ports/object-store.js';
import type { StoreAddress } from '../ports/store-address.js';
import { UserError } from './user-error.js';

/** The settings that any bucket is opened with. */
type S3Config = Pick<Config, 's3Endpoint' | 's3ForcePathStyle' | 's3Encryption' | 's3KmsKeyId'>;

/**
 * Opens the store at an address, and measures what is done with it. Throws `UserError`, saying what to do.
 */
export async function openStore(
  address: StoreAddress,
  config: S3Config,
  deps: StoreDeps,
): Promise<ObjectStore> {
  const { s3Endpoint, s3ForcePathStyle, s3Encryption, s3KmsKeyId } = config;
  const encryption =
    s3Encryption === 'aws:kms' ? { kind: s3Encryption, keyId: s3KmsKeyId } : { kind: s3Encryption };
  // The server says in its documents which Node it runs on; a page of the SDK's about it belongs in no log.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const settings = { endpoint: s3Endpoint, forcePathStyle: s3ForcePathStyle, encryption };
  try {
    const store = await openObjectStore(address, settings, deps);
    return new ObservedObjectStore(store, { ...deps, countsRequests: address.kind === 's3' });
  } catch (error) {
    if (error instanceof OmenError) throw new UserError(error.message, { cause: error });
    throw error;
  }
}
