/*
 * Marks that backups leave in the store they copy from, so that its servers can tell when the last one was
 * made: one when a backup begins, one when it has ended well. They are written once, because a backup runs in
 * a process of its own, beside servers; each new one removes the older ones of its kind. A backup without its
 * mark is a good backup all the same.
 */
import { OmenError } from '../../core/errors.js';
import type { EnvelopeKind } from '../../core/log/envelope.js';
import { decodeEnvelope, encodeEnvelope } from '../../core/log/envelope.js';
import type { Logger } from '../../ports/logger.js';
import type { ObjectStore } from '../../ports/object-store.js';
import { newNonce, ObjectLayout } from '../log/object-layout.js';
import type { RetryDeps } from '../log/storage-retry.js';
import { withRetry } from '../log/storage-retry.js';
import { listAll } from '../maintenance/list-objects.js';
import { timeOfBackupId } from './backup-record.js';

/** A backup that has ended well. */
export interface EndedBackup {
  readonly backupId: string;
  readonly endedAtMs: number;
  readonly tookMs: number;
  /** Where it lies, for people; empty: not told. */
  readonly to: string;
}

/** What the marks of a store say. */
export interface BackupMarks {
  /** When a backup was last begun. */
  readonly begunAtMs: number | null;
  readonly ended: EndedBackup | null;
}

type Kind = 'begun' | 'ended';

const KIND: EnvelopeKind = { magic: 'OMBM', version: 1 };
const NAME = /^(\d{8}T\d{9}Z-[0-9a-f]{8})-(begun|ended)$/;
const layout = new ObjectLayout();

export interface MarkerDeps {
  /** The store that is backed up. */
  readonly store: ObjectStore;
  readonly retry: RetryDeps;
  readonly logger: Logger;
}

/** Leaves the marks of one backup. A failure is logged and no more. */
export class BackupMarker {
  constructor(
    private readonly deps: MarkerDeps,
    private readonly backupId: string,
  ) {}

  begun(): Promise<void> {
    return this.#leave('begun', { backupId: this.backupId });
  }

  ended(backup: Omit<EndedBackup, 'backupId'>): Promise<void> {
    return this.#leave('ended', { backupId: this.backupId, ...backup });
  }

  async #leave(kind: Kind, content: object): Promise<void> {
    const { store, retry, logger } = this.deps;
    const key = layout.backupMarkKey(this.backupId, kind);
    const nonce = newNonce(retry.rng);
    try {
      await withRetry(retry, () => store.putIfAbsent(key, encodeEnvelope(KIND, content), nonce));
      const marks = await listMarks(store);
      for (const mark of marks[kind].filter((id) => id < this.backupId)) {
        await withRetry(retry, () => store.delete(layout.backupMarkKey(mark, kind)));
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      logger.warn('the servers of this store do not learn of the backup', { key, error: message });
    }
  }
}

/**
 * Reads the marks of a store: one listing, and one small object when a backup has ended since `known`. Throws
 * `DATA_CORRUPTED`.
 */
export async function readBackupMarks(store: ObjectStore, known: BackupMarks | null): Promise<BackupMarks> {
  const marks = await listMarks(store);
  const begun = marks.begun.at(-1);
  return {
    begunAtMs: begun === undefined ? null : timeOfBackupId(begun),
    ended: await readEnded(store, marks.ended.at(-1), known?.ended ?? null),
  };
}

async function readEnded(
  store: ObjectStore,
  backupId: string | undefined,
  known: EndedBackup | null,
): Promise<EndedBackup | null> {
  if (backupId === undefined || backupId === known?.backupId) return known;
  const key = layout.backupMarkKey(backupId, 'ended');
  const got = await store.get(key, { background: true });
  // Replaced since it was listed: the next look shows by what.
  if (got.kind !== 'found') return known;
  const value = decodeEnvelope(KIND, got.body, `backup mark ${key}`);
  const { endedAtMs, tookMs, to } = value as unknown as EndedBackup;
  if (![endedAtMs, tookMs].every((number) => Number.isFinite(number)) || typeof to !== 'string')
    throw new OmenError('DATA_CORRUPTED', `backup mark ${key} is damaged: a field is not what it must be`);
  return { backupId, endedAtMs, tookMs, to };
}

/** Ids by kind, oldest first. What is none of ours is passed over. */
async function listMarks(store: ObjectStore): Promise<Readonly<Record<Kind, string[]>>> {
  const marks = { begun: [] as string[], ended: [] as string[] };
  for (const { relative } of await listAll(store, layout.backupMarkPrefix)) {
    const [, id, kind] = NAME.exec(relative) ?? [];
    if (id !== undefined) marks[kind as Kind].push(id);
  }
  return marks;
}
