/*
 * The part of the command line that is about whole stores: backups and the collector.
 */
import { storeAddress } from '../config/option-types.js';
import type { BackupHistory } from '../app/backup/hold-moment.js';
import { HISTORIES } from '../app/backup/hold-moment.js';
import { CollectionSelection } from '../app/backup/selection.js';
import { OmenError } from '../core/errors.js';
import type { CollectionName } from '../core/ids.js';
import { parseCollectionName } from '../core/ids.js';
import type { StoreAddress } from '../ports/store-address.js';
import { parseOptions, UsageError } from './parse-options.js';

interface Common {
  /** Lines of JSON instead of text for people. */
  readonly json: boolean;
}

export interface BackupCommand extends Common {
  readonly kind: 'backup';
  /** Null: the store of the settings. */
  readonly from: StoreAddress | null;
  readonly to: StoreAddress;
  readonly selection: CollectionSelection;
  readonly history: BackupHistory;
}

export interface VerifyCommand extends Common {
  readonly kind: 'verify';
  readonly from: StoreAddress;
  /** Null: the newest. */
  readonly backupId: string | null;
  readonly quick: boolean;
}

export interface RestoreCommand extends Common {
  readonly kind: 'restore';
  readonly from: StoreAddress;
  /** Null: the one that fits. */
  readonly backupId: string | null;
  /** Null: the store of the settings. */
  readonly to: StoreAddress | null;
  readonly selection: CollectionSelection;
  readonly asOfMs: number | null;
  readonly name: CollectionName | null;
  readonly keys: boolean;
  readonly skipExisting: boolean;
}

export interface CollectCommand extends Common {
  readonly kind: 'collect';
  readonly selection: CollectionSelection;
  readonly dryRun: boolean;
}

export interface BackupsCommand extends Common {
  readonly kind: 'backups';
  readonly from: StoreAddress;
}

export type StoreCommand = BackupCommand | BackupsCommand | VerifyCommand | RestoreCommand | CollectCommand;

/** Whether a command is about whole stores. */
export function isStoreCommand(command: { readonly kind: string }): command is StoreCommand {
  return ['backup', 'backups', 'verify', 'restore', 'collect'].includes(command.kind);
}

const TEXT = { type: 'string' } as const;
const LIST = { type: 'string', multiple: true } as const;
const FLAG = { type: 'boolean' } as const;

export function backupCommand(args: readonly string[]): BackupCommand {
  const options = { from: TEXT, to: TEXT, collection: LIST, history: TEXT, json: FLAG } as const;
  const { values } = parseOptions(args, options, 0);
  const history = HISTORIES.find((known) => known === (values.history ?? 'all'));
  if (history === undefined) {
    throw new UsageError(`--history is "${values.history}": must be ${HISTORIES.join(' or ')}`);
  }
  return {
    ...{ kind: 'backup', from: optionalAddress('--from', values.from), to: address('--to', values.to) },
    ...{ selection: selectionOf(values.collection), history, json: values.json === true },
  };
}

export function backupsCommand(args: readonly string[]): BackupsCommand {
  const { values } = parseOptions(args, { from: TEXT, json: FLAG } as const, 0);
  return { kind: 'backups', from: address('--from', values.from), json: values.json === true };
}

export function verifyCommand(args: readonly string[]): VerifyCommand {
  const options = { from: TEXT, backup: TEXT, quick: FLAG, json: FLAG } as const;
  const { values } = parseOptions(args, options, 0);
  return {
    ...{ kind: 'verify', from: address('--from', values.from), backupId: values.backup ?? null },
    ...{ quick: values.quick === true, json: values.json === true },
  };
}

export function restoreCommand(args: readonly string[]): RestoreCommand {
  const options = {
    ...{ from: TEXT, to: TEXT, backup: TEXT, collection: LIST, 'as-of': TEXT, name: TEXT },
    ...{ keys: FLAG, 'skip-existing': FLAG, json: FLAG },
  } as const;
  const { values } = parseOptions(args, options, 0);
  const selection = selectionOf(values.collection);
  if (values.name !== undefined && selection.names.length !== 1) {
    throw new UsageError('--name is for one collection: say which with --collection TENANT/NAME');
  }
  return {
    ...{ kind: 'restore', from: address('--from', values.from), to: optionalAddress('--to', values.to) },
    ...{ backupId: values.backup ?? null, selection, asOfMs: momentOf(values['as-of']) },
    name: values.name === undefined ? null : checked(() => parseCollectionName(values.name ?? '', 'name')),
    ...{ keys: values.keys === true, skipExisting: values['skip-existing'] === true },
    json: values.json === true,
  };
}

export function collectCommand(args: readonly string[]): CollectCommand {
  const { values } = parseOptions(args, { collection: LIST, 'dry-run': FLAG, json: FLAG } as const, 0);
  const dryRun = values['dry-run'] === true;
  return { kind: 'collect', selection: selectionOf(values.collection), dryRun, json: values.json === true };
}

function selectionOf(texts: readonly string[] | undefined): CollectionSelection {
  const all = (texts ?? []).flatMap((text) => text.split(','));
  return checked(() => CollectionSelection.parse(all));
}

function address(option: string, text: string | undefined): StoreAddress {
  const type = storeAddress();
  if (text === undefined) throw new UsageError(`${option} is missing: must be ${type.allowed}`);
  const parsed = type.parse(text);
  if (parsed === undefined) throw new UsageError(`${option} is "${text}": must be ${type.allowed}`);
  return parsed;
}

function optionalAddress(option: string, text: string | undefined): StoreAddress | null {
  return text === undefined ? null : address(option, text);
}

/** A moment as RFC 3339 writes it. One without a time zone would mean another moment on another machine. */
function momentOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const whole = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i.test(text);
  const ms = whole ? Date.parse(text) : NaN;
  if (!Number.isFinite(ms)) {
    throw new UsageError(`--as-of is "${text}": must be a moment such as 2026-01-31T15:04:05Z`);
  }
  return ms;
}

function checked<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof OmenError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}
